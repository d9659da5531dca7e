//! The modes that plant an injection: those of the instruments, with more blocks than the program asks for.

use std::alloc::{Layout, handle_alloc_error};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, Ordering::AcqRel};

use super::{INJECTED, mode, rare};
use crate::inject;

/// From one write to the next: no system has smaller pages.
const PAGE_BYTES: usize = 4096;

#[inline]
pub(super) unsafe fn alloc(mode: u8, layout: Layout) -> *mut u8 {
    // SAFETY: the closure runs once, with the caller's own layout.
    inject::around_allocation(layout.size(), || unsafe { rare::alloc(mode & !INJECTED, layout) })
}

#[inline]
pub(super) unsafe fn alloc_zeroed(mode: u8, layout: Layout) -> *mut u8 {
    // SAFETY: the closure runs once, with the caller's own layout.
    inject::around_allocation(layout.size(), || unsafe { rare::alloc_zeroed(mode & !INJECTED, layout) })
}

#[inline]
pub(super) unsafe fn dealloc(mode: u8, block: *mut u8, layout: Layout) {
    // SAFETY: the closure runs once, with the caller's own block.
    inject::around_freeing(|| unsafe { rare::dealloc(mode & !INJECTED, block, layout) });
}

#[inline]
pub(super) unsafe fn realloc(mode: u8, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
    inject::around_allocation(new_size, || {
        // SAFETY: the closure runs once, with the caller's own block.
        unsafe { rare::realloc(mode & !INJECTED, block, layout, new_size) }
    })
}

/// A block that the program did not ask for.
#[derive(Debug)]
pub(crate) struct Block {
    start: NonNull<u8>,
    layout: Layout,
}

fn layout(bytes: usize) -> Layout {
    Layout::from_size_align(bytes, align_of::<usize>())
        .expect("the size of an injection is limited, and a copy is as large as a block that exists")
}

/// Allocates a block, at least one byte, as the instrument's allocator does for the program. When memory is out the process ends.
#[inline]
pub(crate) fn obtain(bytes: usize) -> Block {
    let layout = layout(bytes.max(1));
    // SAFETY: the layout is not empty.
    let start = unsafe { rare::alloc(mode() & !INJECTED, layout) };
    match NonNull::new(start) {
        Some(start) => Block { start, layout },
        None => handle_alloc_error(layout),
    }
}

/// Writes a byte to each page of a block.
#[inline]
pub(crate) fn touch(block: &Block) {
    for offset in (0..block.layout.size()).step_by(PAGE_BYTES).chain([block.layout.size() - 1]) {
        // SAFETY: the offset lies within the block, which is ours alone.
        unsafe { block.start.add(offset).write_volatile(1) };
    }
}

/// Keeps a block for ever.
pub(crate) fn leak(block: Block) {
    let Block { .. } = block;
}

/// Frees a block.
pub(crate) fn free(block: Block) {
    // SAFETY: the block came from the same mode, with this layout, and nobody else has it.
    unsafe { rare::dealloc(mode() & !INJECTED, block.start.as_ptr(), block.layout) };
}

/// The block that is held until the next one takes its place; its first word is its size.
static HELD: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());

/// Holds a block of at least a word; gives the one that another thread has put there meanwhile.
pub(crate) fn hold(block: Block) -> Option<Block> {
    // SAFETY: the block is aligned for a word and has room for it.
    unsafe { block.start.cast::<usize>().write(block.layout.size()) };
    held(HELD.swap(block.start.as_ptr(), AcqRel))
}

/// Takes the block that is held.
pub(crate) fn take_held() -> Option<Block> {
    held(HELD.swap(ptr::null_mut(), AcqRel))
}

fn held(start: *mut u8) -> Option<Block> {
    let start = NonNull::new(start)?;
    // SAFETY: only `hold` puts blocks there, with their size in their first word; a swap hands each of them out once.
    let bytes = unsafe { start.cast::<usize>().read() };
    Some(Block { start, layout: layout(bytes) })
}
