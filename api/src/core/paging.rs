//! Pages of lists, with absolute links to their neighbours (CONTRACT 1.0, R2, R3).

use axum::extract::OriginalUri;
use axum::http::Uri;
use keynest_projections::{Listed, Page};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{Problem, Settings};

/// Which page of a list is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// From 1. A page behind the last one is not found.
    #[param(value_type = Option<u32>, minimum = 1)]
    page: Option<String>,
    /// Items on a page, at most 1,000, which is also the default.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    page_size: Option<String>,
}

/// One page of a list.
#[derive(Serialize, ToSchema)]
pub struct Paged<T> {
    /// Items on all pages together.
    count: u64,
    next: Option<String>,
    previous: Option<String>,
    results: Vec<T>,
}

impl Paging {
    /// The page within the limits of the configuration.
    pub fn page(&self, settings: &Settings) -> Result<Page, Problem> {
        let number = match self.page.as_deref().map(str::parse) {
            None => 1,
            Some(Ok(number)) if number >= 1 => number,
            Some(_) => return Err(Problem::new("not_found").detail("Invalid page.")),
        };
        let size = match self.page_size.as_deref().map(str::parse::<u64>) {
            None => settings.page_size,
            Some(Ok(size)) if size >= 1 => u32::try_from(size).unwrap_or(u32::MAX),
            Some(_) => {
                return Err(Problem::validation([("page_size", "Expected a number from 1.")]));
            }
        };
        Ok(Page::new(number, size.min(settings.page_size_max)))
    }
}

impl<T> Paged<T> {
    /// A page as it is answered; a page behind the end is not found.
    pub fn new<R>(
        settings: &Settings,
        uri: &OriginalUri,
        page: Page,
        listed: Listed<R>,
        shape: impl FnMut(R) -> T,
    ) -> Result<Self, Problem> {
        if listed.is_past_end(page) {
            return Err(Problem::new("not_found").detail("Invalid page."));
        }
        let link = |number: u32| link(&settings.public_url, uri, number);
        let is_last = u64::from(page.number) * u64::from(page.size) >= listed.total;
        Ok(Self {
            count: listed.total,
            next: (!is_last).then(|| link(page.number + 1)),
            previous: (page.number > 1).then(|| link(page.number - 1)),
            results: listed.items.into_iter().map(shape).collect(),
        })
    }
}

/// The same query on another page. The origin is the configured one, never what a request field says (DESIGN 11).
fn link(public_url: &str, uri: &Uri, number: u32) -> String {
    let others = uri.query().unwrap_or_default().split('&');
    let mut query: Vec<String> = others
        .filter(|pair| !pair.is_empty() && pair.split('=').next() != Some("page"))
        .map(str::to_owned)
        .collect();
    query.push(format!("page={number}"));
    format!("{public_url}{}?{}", uri.path(), query.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paged(
        uri: &'static str,
        page: Page,
        total: u64,
        items: usize,
    ) -> Result<Paged<u8>, Problem> {
        let settings =
            Settings { public_url: "https://keynest.example".into(), ..Settings::default() };
        let uri = OriginalUri(Uri::from_static(uri));
        Paged::new(&settings, &uri, page, Listed { total, items: vec![0; items] }, |item: u8| item)
    }

    #[test]
    fn neighbours_keep_the_other_parameters_and_use_the_configured_origin() {
        let page =
            paged("/api/x/?organization=7&page=2&page_size=2", Page::new(2, 2), 5, 2).unwrap();
        let origin = "https://keynest.example/api/x/?organization=7&page_size=2";
        assert_eq!(page.next.unwrap(), format!("{origin}&page=3"));
        assert_eq!(page.previous.unwrap(), format!("{origin}&page=1"));
    }

    #[test]
    fn the_ends_have_no_neighbour_and_nothing_lies_behind() {
        let page = paged("/api/x/", Page::new(1, 1_000), 3, 3).unwrap();
        assert_eq!((page.next, page.previous, page.count), (None, None, 3));
        assert_eq!(paged("/api/x/", Page::new(2, 1_000), 3, 0).err().unwrap().code(), "not_found");
    }

    #[test]
    fn what_is_no_page_is_refused_and_sizes_are_bounded() {
        let settings = Settings { page_size_max: 50, ..Settings::default() };
        let ask = |page: &str, size: &str| {
            Paging { page: Some(page.into()), page_size: Some(size.into()) }.page(&settings)
        };
        assert_eq!(ask("2", "10").unwrap(), Page::new(2, 10));
        assert_eq!(ask("1", "99999999999").unwrap(), Page::new(1, 50));
        for page in ["0", "-1", "x", "", "4294967296"] {
            assert_eq!(ask(page, "10").unwrap_err().code(), "not_found", "{page}");
        }
        assert_eq!(ask("1", "0").unwrap_err().code(), "validation");
    }
}
