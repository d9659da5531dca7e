//! `highwater doctor`: what can be measured here.

use anyhow::Result;

use crate::show;

/// Prints every capability, and what to do about those that are missing. Missing ones are no failure.
pub(crate) fn doctor() -> Result<i32> {
    let environment = harness::environment::collect(crate::build::build());
    show::result(&format!(
        "{}, kernel {}, {} cores, {} of memory, {}",
        environment.platform,
        environment.kernel,
        environment.cores,
        reports::bytes::format_bytes(environment.memory_bytes),
        environment.toolchain
    ));
    for capability in harness::os::capabilities() {
        let mark = if capability.available { "yes" } else { "no " };
        show::result(&format!("{mark}  {:<24} {}", capability.name, capability.detail));
        if !capability.available {
            show::result(&format!("     {:<24} {}", "", capability.remedy));
        }
    }
    Ok(0)
}
