//! JUnit XML, which continuous integration shows as tests: a suite for each scenario, a test for each budget.

use harness::record::{Case, Judgement, Run, Verdict};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::{Error, rows, sites};

/// A regression is a failure, an error an error. What could not be judged is a skipped test that says why: that the gate is not
/// green then is told by its exit code, which only a person's mistake or an error may turn red here. A case without a budget is a test
/// that passed when it was measured.
///
/// # Errors
/// When a text cannot be written as XML.
pub fn report(run: &Run) -> Result<String, Error> {
    let run = &crate::plain_run(run);
    let mut report = Report::new("highwater");
    for group in rows::groups(run) {
        let mut suite = TestSuite::new(group.scenario);
        for case in &group.cases {
            suite.add_test_cases(tests(case));
        }
        report.add_test_suite(suite);
    }
    if let Some(why) = rows::unfounded(run) {
        let mut suite = TestSuite::new("highwater");
        suite.add_test_case(TestCase::new("judged", failed(NonSuccessKind::Error, Verdict::Error, why)));
        report.add_test_suite(suite);
    }
    let text =
        report.to_string().map_err(|error| Error::Text { what: "JUnit XML", why: error.to_string() })?;
    // The writer counts skipped tests in the root as well, which the schema of Jenkins knows of suites only: who reads by it would refuse the
    // whole file. The root stands first and its name is ours, so that the first such attribute is its own.
    Ok(text.replacen(&format!(" skipped=\"{}\"", report.skipped), "", 1))
}

fn tests(case: &Case) -> Vec<TestCase> {
    let mut tests: Vec<TestCase> = case.verdicts.iter().map(|judgement| of_budget(case, judgement)).collect();
    let told = case.verdicts.iter().any(|judgement| judgement.verdict == Verdict::Error);
    if let Some(error) = case.error.as_deref().filter(|_| !told) {
        tests.push(test(case, "measured", failed(NonSuccessKind::Error, Verdict::Error, error)));
    } else if tests.is_empty() {
        tests.push(test(case, "measured", TestCaseStatus::success()));
    }
    // What a case took stands once, so that sums over tests are sums over cases.
    if let (Some(first), Some(time)) = (tests.first_mut(), case.metrics.get("time.wall_seconds"))
        && let Ok(time) = std::time::Duration::try_from_secs_f64(time.median)
    {
        first.set_time(time);
    }
    tests
}

fn of_budget(case: &Case, judgement: &Judgement) -> TestCase {
    let Judgement { metric, verdict, budget, why, .. } = judgement;
    let status = match verdict {
        Verdict::Pass | Verdict::Improved | Verdict::Waived => TestCaseStatus::success(),
        Verdict::Regression => failed(NonSuccessKind::Failure, *verdict, why),
        Verdict::Error => failed(NonSuccessKind::Error, *verdict, why),
        Verdict::Inconclusive | Verdict::Unfit => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(why.as_str()).set_type(rows::name(*verdict));
            status
        }
    };
    let mut test = test(case, &format!("{metric} {budget}"), status);
    let mut said = vec![why.clone()];
    if *verdict == Verdict::Regression {
        said.extend(case.growth.iter().filter(|growth| growth.metric == *metric).map(sites::text));
        said.extend(rows::again(case).map(|command| format!("repeat it with: {command}")));
    }
    test.set_system_out(said.join("\n"));
    test
}

fn test(case: &Case, what: &str, status: TestCaseStatus) -> TestCase {
    let mut test = TestCase::new(format!("{} {what}", case.case), status);
    test.set_classname(rows::parts(&case.case).0.replace('/', "."));
    test
}

fn failed(kind: NonSuccessKind, verdict: Verdict, why: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(rows::name(verdict)).set_message(why).set_description(why);
    status
}
