//! All sections of a run in two files: one for a browser, which needs no network, and one to paste from.

use std::path::Path;

use anyhow::Context;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::environment::Environment;
use crate::section::Section;
use crate::table::Table;
use crate::target::{self, Target};

const STYLE: &str = "body{font:15px/1.5 sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#222}\
    table{border-collapse:collapse;margin:1em 0}th,td{padding:.2em .7em;border-bottom:1px solid #ddd;text-align:left}\
    caption{text-align:left;font-weight:bold}svg{max-width:100%;height:auto;margin:1em 0}pre{white-space:pre-wrap}";

/// Between these lines of a page stands the last run.
const BEGINS: &str = "<!-- the last run begins -->\n";
const ENDS: &str = "<!-- the last run ends -->\n";

/// Writes `report.html` and `report.md`.
pub fn write(folder: &Path, environment: &Environment, all: &[Section]) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).context("make the folder of the report")?;
    let page = page(environment, all)?.into_string();
    std::fs::write(folder.join("report.html"), page).context("write the page")?;
    std::fs::write(folder.join("report.md"), text(environment, all)).context("write the report")
}

/// Puts the run in the place of the last one on a page, between [`BEGINS`] and [`ENDS`].
pub fn paste(page: &Path, environment: &Environment, all: &[Section]) -> anyhow::Result<()> {
    let before = std::fs::read_to_string(page).context("read the page")?;
    let after =
        pasted(&before, &text(environment, all)).context("the page has no place for a run")?;
    std::fs::write(page, after).context("write the page")
}

fn pasted(page: &str, run: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGINS)?;
    let (_, after) = rest.split_once(ENDS)?;
    // Sections stand below a heading of the page.
    let run = run.replace("\n## ", "\n### ");
    Some(format!("{before}{BEGINS}\n{}\n\n{ENDS}{after}", run.trim()))
}

fn text(environment: &Environment, all: &[Section]) -> String {
    let sections: String = all.iter().map(|section| format!("\n{section}")).collect();
    format!("{environment}\n\n{}{sections}", target::table(&targets(all)))
}

/// Of all sections, in their order.
pub fn targets(all: &[Section]) -> Vec<Target> {
    all.iter().flat_map(|section| section.targets.iter().cloned()).collect()
}

fn page(environment: &Environment, all: &[Section]) -> anyhow::Result<Markup> {
    let mut sections = Vec::new();
    for section in all {
        sections.push(one(section)?);
    }
    Ok(html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { "KeyNest: measured" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "KeyNest: measured" }
                pre { (environment) }
                (rows(&target::table(&targets(all))))
                @for section in &sections { (section) }
            }
        }
    })
}

fn one(section: &Section) -> anyhow::Result<Markup> {
    let plots: Result<Vec<_>, _> = section.plots.iter().map(|plot| plot.to_svg()).collect();
    let plots = plots?;
    Ok(html! {
        h2 { (section.name) }
        p { (section.title) }
        @for table in &section.tables { (rows(table)) }
        @for plot in &plots { (PreEscaped(plot)) }
    })
}

fn rows(table: &Table) -> Markup {
    html! {
        table {
            caption { (table.caption) }
            tr { @for name in &table.head { th { (name) } } }
            @for row in &table.rows {
                tr { @for cell in row { td { (cell) } } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::Plot;

    #[test]
    fn a_run_takes_the_place_of_the_last_one_and_nothing_else() {
        let page = |run: &str| format!("# Performance\n\n{BEGINS}{run}{ENDS}\n## After\n");
        let once = pasted(&page("of before\n"), "figures\n\n## store\n").unwrap();
        assert_eq!(once, page("\nfigures\n\n### store\n\n"));
        assert_eq!(pasted(&once, "figures\n\n## store\n"), Some(once.clone()));
        assert_eq!(pasted("# Performance\n", "figures"), None);
    }

    #[test]
    fn the_page_shows_every_section_and_asks_nobody_for_anything() {
        let mut section = Section::new("store", "Appends & reads");
        let mut table = Table::new("Appends", ["clients", "rate"]);
        table.row(["64".to_owned(), "<fast>".to_owned()]);
        section.tables.push(table);
        section.targets.push(Target::fixed("a target", 2.0, "/s", 1.0, true));
        section.plots.push(Plot::new("curve", "x", "y"));
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &Environment::unknown(), &[section]).unwrap();
        let page = std::fs::read_to_string(folder.path().join("report.html")).unwrap();
        for text in ["Appends &amp; reads", "&lt;fast&gt;", "a target", "<svg"] {
            assert!(page.contains(text), "{text}");
        }
        for outside in ["http://", "https://", "<script", "<link", "src="] {
            assert!(!page.replace("http://www.w3.org/2000/svg", "").contains(outside), "{outside}");
        }
        let text = std::fs::read_to_string(folder.path().join("report.md")).unwrap();
        assert!(text.contains("| a target |") && text.contains("## store"));
    }
}
