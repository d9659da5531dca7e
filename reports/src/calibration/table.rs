//! A calibration as tables, for the terminal and as markdown.

use harness::record::{Tier, Unit};

use super::{Calibration, Effect, Kind, MetricPower, PROMISED_ALARMS, Rate, Subject, power};
use crate::{aligned, figure, plain, rows};

/// One table: its title, a row of heads, and rows. `sides` says of each column whether its cells go left (`l`) or right (`r`).
struct Table {
    title: String,
    sides: String,
    rows: Vec<Vec<String>>,
}

/// The whole self-test as text.
pub fn text(calibration: &Calibration) -> String {
    let mut out = format!("{}\n", introduction(calibration));
    for table in tables(calibration) {
        out.push_str(&format!("\n{}\n", table.title));
        for line in aligned::lines(&table.rows, &table.sides) {
            out.push_str(&format!("  {line}\n"));
        }
    }
    let sections = [("named with its site", named(calibration)), ("doubts", doubts(calibration))];
    for (title, lines) in sections.into_iter().filter(|(_, lines)| !lines.is_empty()) {
        out.push_str(&format!("\n{title}\n"));
        lines.iter().for_each(|line| out.push_str(&format!("  {line}\n")));
    }
    out.push_str(&format!("\n{}\n", summary(calibration)));
    out
}

/// The whole self-test as markdown, without a heading of its own.
pub fn markdown(calibration: &Calibration) -> String {
    let mut out = format!("{}\n", introduction(calibration));
    for table in tables(calibration) {
        out.push_str(&format!("\n**{}**\n\n", capital(&table.title)));
        for (number, row) in table.rows.iter().enumerate() {
            out.push_str(&format!("| {} |\n", row.join(" | ")));
            if number == 0 {
                let rule = table.sides.chars().map(|side| if side == 'r' { "---:" } else { "---" });
                out.push_str(&format!("| {} |\n", rule.collect::<Vec<_>>().join(" | ")));
            }
        }
    }
    for line in named(calibration).into_iter().chain(doubts(calibration)) {
        out.push_str(&format!("\n- {line}\n"));
    }
    out.push_str(&format!("\n{}\n", capital(&summary(calibration))));
    out
}

fn introduction(calibration: &Calibration) -> String {
    let terms = &calibration.terms;
    let environment = &calibration.environment;
    let runs: u64 = calibration.subjects.iter().map(|subject| subject.runs).sum();
    plain::line(&format!(
        "{}, kernel {}, {} cores, {}; {} build; seed {}; {} processes in {:.0} s. Noisy metrics: {} samples a side, alpha {}, confidence {}, {} % allowed.",
        environment.platform,
        environment.kernel,
        environment.cores,
        environment.cpu,
        environment.profile,
        calibration.seed,
        runs,
        calibration.seconds,
        terms.samples,
        terms.alpha,
        terms.confidence,
        terms.allowed_percent,
    ))
}

fn tables(calibration: &Calibration) -> Vec<Table> {
    let mut tables = vec![false_alarms(calibration), smallest(calibration)];
    tables.extend(calibration.subjects.iter().filter_map(curve));
    tables.retain(|table| table.rows.len() > 1);
    tables
}

fn cells<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

fn false_alarms(calibration: &Calibration) -> Table {
    let head = [
        "subject",
        "metric",
        "tier",
        "median",
        "deviation",
        "samples",
        "alarms",
        "rate at most",
        "no verdict",
        "in order",
    ];
    let of = |rate: &Rate| format!("{} of {}", rate.alarms, rate.trials);
    let row = |(subject, power): (&Subject, &MetricPower)| {
        vec![
            subject.name.clone(),
            power.metric.clone(),
            tier(power.tier).to_owned(),
            figure::short(power.median, power.unit),
            format!("{} %", figure::ratio(power.deviation_percent)),
            power.samples.to_string(),
            of(&power.false_alarms),
            format!("{:.2} %", power.false_alarms.high * 100.0),
            of(&power.undecided),
            of(&power.in_order),
        ]
    };
    Table {
        title: "false alarms, between samples of the same program (95 % Wilson interval)".to_owned(),
        sides: "lllrrrrrrr".to_owned(),
        rows: [cells(head)].into_iter().chain(calibration.metrics().map(row)).collect(),
    }
}

fn tier(tier: Tier) -> &'static str {
    match tier {
        Tier::Exact => "exact",
        Tier::Noisy => "noisy",
        Tier::Modelled => "modelled",
    }
}

fn smallest(calibration: &Calibration) -> Table {
    let allowed = calibration.terms.allowed_percent;
    let head = [
        "subject".to_owned(),
        "metric".to_owned(),
        format!("{allowed} % allowed: 80 %"),
        "95 %".to_owned(),
        "nothing allowed: 80 %".to_owned(),
        "95 %".to_owned(),
    ];
    let row = |(subject, power): (&Subject, &MetricPower)| {
        let effects = [&power.mde_80, &power.mde_95, &power.resolution_80, &power.resolution_95];
        let effects = effects.map(|found| effect(found.as_ref(), power));
        [subject.name.clone(), power.metric.clone()].into_iter().chain(effects).collect()
    };
    Table {
        title: "the smallest growth that is caught in 80 % and in 95 % of all judgements".to_owned(),
        sides: "llrrrr".to_owned(),
        rows: [head.to_vec()].into_iter().chain(calibration.metrics().map(row)).collect(),
    }
}

fn effect(effect: Option<&Effect>, power: &MetricPower) -> String {
    let unit = |size| figure::short(size, power.unit);
    match effect {
        None if power.false_alarms.trials == 0 => "too few samples".to_owned(),
        None => "more than 20 %".to_owned(),
        Some(effect) if power.tier == Tier::Exact => match power.unit {
            Unit::Blocks => "1 block".to_owned(),
            _ => unit(effect.size),
        },
        Some(effect) => format!("{} % ({})", figure::ratio(effect.percent), unit(effect.size)),
    }
}

/// What is caught in one subject: a row for each growth, a column for each metric.
fn curve(subject: &Subject) -> Option<Table> {
    let mut growths: Vec<(Kind, &str)> = Vec::new();
    for point in subject.metrics.iter().flat_map(|power| &power.curve) {
        let growth = (point.growth.kind, point.growth.what.as_str());
        let is_published = growth.0 != Kind::Shift || power::PERCENTS.contains(&point.growth.percent);
        if is_published && !growths.contains(&growth) {
            growths.push(growth);
        }
    }
    growths.sort_by_key(|(kind, _)| *kind);
    let names = subject.metrics.iter().map(|power| power.metric.clone());
    let head: Vec<String> = ["planted", "growth"].map(str::to_owned).into_iter().chain(names).collect();
    let rows = growths.iter().map(|(kind, what)| {
        let caught = subject.metrics.iter().map(|power| caught(power, *kind, what));
        [kind.name().to_owned(), (*what).to_owned()].into_iter().chain(caught).collect()
    });
    let rows: Vec<Vec<String>> = [head].into_iter().chain(rows).collect();
    let sides = format!("lr{}", "r".repeat(subject.metrics.len()));
    Some(Table { title: format!("growth that is caught in {}", subject.name), sides, rows })
}

/// The part that was caught, with its interval in whole percent.
fn caught(power: &MetricPower, kind: Kind, what: &str) -> String {
    let same = |growth: &super::Growth| growth.kind == kind && growth.what == what;
    match power.curve.iter().find(|point| same(&point.growth)) {
        Some(point) if point.caught.trials > 0 => {
            let rate = &point.caught;
            let percent = |part: f64| format!("{:.0}", part * 100.0);
            // Rounded outwards: an interval must not look narrower than it is.
            let (low, high) = ((rate.low * 100.0).floor(), (rate.high * 100.0).ceil());
            format!("{} % ({low:.0}-{high:.0})", percent(rate.part()))
        }
        _ => "-".to_owned(),
    }
}

fn named(calibration: &Calibration) -> Vec<String> {
    let subjects = calibration.subjects.iter();
    let lines = subjects.filter_map(|subject| {
        let named = subject.named.as_ref()?;
        Some(plain::line(&format!(
            "{}, {}: named in {} of {} trials: {}",
            subject.name, named.planted, named.named.alarms, named.named.trials, named.first
        )))
    });
    lines.collect()
}

fn doubts(calibration: &Calibration) -> Vec<String> {
    calibration.doubts.iter().map(|doubt| plain::line(doubt)).collect()
}

fn summary(calibration: &Calibration) -> String {
    let (verdict, why) = calibration.verdict();
    let name = rows::name(verdict);
    if why.is_empty() {
        let promised = PROMISED_ALARMS * 100.0;
        return format!(
            "{name}: no metric has more than {promised} % false alarms, by the upper end of its interval"
        );
    }
    format!("{name}: {}", why.join("; "))
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
