//! The exit code that a verdict means to the shell and to a merge gate.

use harness::record::Verdict;

/// 0 pass (also improved and waived), 1 regression, 2 the tool or its input failed, 3 could not be judged.
///
/// Worse and broken never look alike.
pub fn code(verdict: Verdict) -> i32 {
    match verdict {
        Verdict::Pass | Verdict::Improved | Verdict::Waived => 0,
        Verdict::Regression => 1,
        Verdict::Error => 2,
        Verdict::Inconclusive | Verdict::Unfit => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worse_broken_and_not_judged_have_codes_of_their_own() {
        let verdicts = [
            Verdict::Pass,
            Verdict::Improved,
            Verdict::Waived,
            Verdict::Regression,
            Verdict::Error,
            Verdict::Inconclusive,
            Verdict::Unfit,
        ];
        assert_eq!(verdicts.map(code), [0, 0, 0, 1, 2, 3, 3]);
    }
}
