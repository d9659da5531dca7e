//! Loops that do nothing but allocate and free: the worst case for an instrument in front of the allocator.

use std::hint::black_box;

/// Blocks live at once in [`ring`].
const RING: usize = 64;

/// One block of 64 bytes, allocated and freed at once.
pub(crate) fn pair() {
    drop(black_box(Box::new([0_u64; 8])));
}

/// Blocks of 16 bytes to 4 KiB, each freed after 63 others were allocated.
pub(crate) fn ring(blocks: u64) {
    let mut ring: [Vec<u8>; RING] = std::array::from_fn(|_| Vec::new());
    let mut size = 1_u64;
    for index in 0..blocks {
        // A multiplicative step, so that sizes vary the same way in every run.
        size = size.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ring[index as usize % RING] = black_box(Vec::with_capacity(16 + (size >> 52) as usize));
    }
}
