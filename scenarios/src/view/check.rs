//! What must be gone, and what must not.

mod gone;
mod kept;
mod maps;

use super::{Account, Drive, Task};

pub(super) use gone::image;

pub(super) fn run(task: &Task) -> Result<Account, String> {
    match task.drive {
        Drive::Sweep => gone::sweep(task),
        Drive::Delete => gone::delete(task),
        Drive::Late => gone::late(task),
        Drive::Tracked => maps::tracked(task),
        Drive::Map => maps::messages(task),
        Drive::Screenshots => kept::screenshots(task),
        _ => kept::run(task),
    }
}
