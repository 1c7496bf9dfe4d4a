//! The report: a table of what was measured, one of what it comes to, and the page that keeps them. What
//! they mean is written on the page by hand.

mod machine;

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use crate::Failure;
use crate::cpu::LOAD;
use crate::load::Measured;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/benchmarks.md");

const ROWS_HEAD: &str = "\
| what | in flight | a second | p50 ms | p99 ms | edge µs | auth µs | notify µs | postgres µs | redis µs | load µs | elsewhere |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |";
const AIMS_HEAD: &str = "\
| figure | measured | aim | met |
| --- | ---: | ---: | --- |";

const SERVICES: [&str; 3] = ["gateway", "auth", "notify"];
/// Whose CPU time has a column. NATS has none: nothing measured here goes through it.
const PROGRAMS: [&str; 6] = ["gateway", "auth", "notify", "postgres", "redis-server", LOAD];

/// What was measured on one platform.
pub struct Report {
    title: &'static str,
    rows: Vec<String>,
    aims: Vec<Aim>,
    /// What each program held at the end, in KiB.
    pub memory: BTreeMap<String, u32>,
}

/// A figure made of others, and what it should be where that was said.
pub struct Aim {
    what: &'static str,
    figure: f64,
    bound: Bound,
}

enum Bound {
    None,
    AtMost(f64),
    AtLeast(f64),
}

impl Aim {
    /// A figure that should not be exceeded.
    pub fn at_most(what: &'static str, figure: f64, bound: f64) -> Self {
        Self { what, figure, bound: Bound::AtMost(bound) }
    }

    /// A figure that should be reached.
    pub fn at_least(what: &'static str, figure: f64, bound: f64) -> Self {
        Self { what, figure, bound: Bound::AtLeast(bound) }
    }

    /// A figure that nothing was said of.
    pub fn none(what: &'static str, figure: f64) -> Self {
        Self { what, figure, bound: Bound::None }
    }

    fn row(&self) -> String {
        let (bound, met) = match self.bound {
            Bound::None => ("–".to_owned(), "–"),
            Bound::AtMost(bound) => (format!("≤ {}", number(bound)), met(self.figure <= bound)),
            Bound::AtLeast(bound) => (format!("≥ {}", number(bound)), met(self.figure >= bound)),
        };
        format!("| {} | {} | {bound} | {met} |", self.what, number(self.figure))
    }
}

/// Whether a bound holds, in a word.
const fn met(holds: bool) -> &'static str {
    if holds { "yes" } else { "no" }
}

impl Report {
    /// An empty report.
    pub fn of(title: &'static str) -> Self {
        Self { title, rows: Vec::new(), aims: Vec::new(), memory: BTreeMap::new() }
    }

    /// A scenario that had the platform to itself.
    pub fn row(&mut self, what: &str, measured: &Measured) {
        let cells = PROGRAMS.map(|name| measured.micros(name));
        self.add(what, measured, &cells);
    }

    /// A reference without the platform: what it takes in the edge's place, and what asking for it takes.
    pub fn bare(&mut self, what: &str, measured: &Measured, server: Option<&str>) {
        let edge = server.and_then(|server| measured.micros(server));
        self.add(what, measured, &[edge, None, None, None, None, measured.micros(LOAD)]);
    }

    /// A scenario that ran beside another: nobody knows whose CPU time was whose.
    pub fn shared(&mut self, what: &str, measured: &Measured) {
        self.add(what, measured, &[None; PROGRAMS.len()]);
    }

    /// A figure made of others.
    pub fn aim(&mut self, aim: Aim) {
        eprintln!("{}", aim.row());
        self.aims.push(aim);
    }

    fn add(&mut self, what: &str, measured: &Measured, micros: &[Option<f64>; PROGRAMS.len()]) {
        let mut cells = vec![what.to_owned(), measured.in_flight.to_string(), number(measured.rate())];
        cells.extend([50, 99].map(|percent| number(millis(measured.percentile(percent)))));
        cells.extend(micros.iter().map(|cell| cell.map_or("–".to_owned(), number)));
        cells.push(format!("{:.0} %", measured.spent.elsewhere * 100.0));
        let row = format!("| {} |", cells.join(" | "));
        eprintln!("{row}");
        self.rows.push(row);
    }

    fn section(&self) -> String {
        let held = |name: &&str| Some(format!("{name} {} MiB", self.memory.get(*name)? / 1024));
        let memory: Vec<String> = SERVICES.iter().filter_map(held).collect();
        let aims: Vec<String> = self.aims.iter().map(Aim::row).collect();
        format!(
            "### {}\n\n{ROWS_HEAD}\n{}\n\n{AIMS_HEAD}\n{}\n\nMemory held at the end: {}.\n",
            self.title,
            self.rows.join("\n"),
            aims.join("\n"),
            memory.join(", "),
        )
    }
}

/// A part of the page that is measured.
pub fn page(reports: &[Report]) -> String {
    let sections: Vec<String> = reports.iter().map(Report::section).collect();
    format!("{}\n\n{}", machine::describe(), sections.join("\n"))
}

/// Puts a measured part into its place in the page.
pub fn write(place: &str, measured: &str) -> Result<(), Failure> {
    if cfg!(debug_assertions) {
        return Err("a debug build's figures are not kept".into());
    }
    let page = fs::read_to_string(PAGE)?;
    let (open, close) = (format!("<!-- {place} -->"), format!("<!-- /{place} -->"));
    let (before, rest) = page.split_once(&open).ok_or("the page has no place for the figures")?;
    let (_, after) = rest.split_once(&close).ok_or("the page's place for the figures has no end")?;
    Ok(fs::write(PAGE, format!("{before}{open}\n\n{measured}\n{close}{after}"))?)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Three digits that matter; thousands apart.
fn number(figure: f64) -> String {
    let digits = match figure.abs() {
        size if size < 9.995 => format!("{figure:.2}"),
        size if size < 99.95 => format!("{figure:.1}"),
        _ => format!("{figure:.0}"),
    };
    let whole = digits.split('.').next().unwrap_or_default();
    match whole.len() {
        length if length > 3 => {
            let (thousands, rest) = digits.split_at(length - 3);
            format!("{thousands} {rest}")
        }
        _ => digits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_show_three_digits_and_an_aim_says_whether_it_is_met() {
        let shown = [0.024, 7.44, 29.04, 999.6, 33_412.0].map(number);
        assert_eq!(shown, ["0.02", "7.44", "29.0", "1 000", "33 412"]);
        assert_eq!(Aim::at_most("x", 71.2, 60.0).row(), "| x | 71.2 | ≤ 60.0 | no |");
        assert_eq!(Aim::at_least("y", 0.9, 0.85).row(), "| y | 0.90 | ≥ 0.85 | yes |");
    }
}
