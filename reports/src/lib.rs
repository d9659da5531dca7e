//! Statistics, budgets, verdicts and rendered reports from highwater's records.
