//! Pages of lists: which one is asked for, and what comes back.

/// Rows in one page at most.
pub const PAGE_SIZE_MAX: u32 = 1_000;

/// Which rows of a list are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// From 1.
    pub number: u32,
    /// From 1 to [`PAGE_SIZE_MAX`].
    pub size: u32,
}

/// A page of a list, counted and fetched by one statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed<T> {
    /// Rows on all pages.
    pub total: u64,
    /// Rows on this page, in the list's order.
    pub items: Vec<T>,
}

impl Page {
    /// A page within the limits: the nearest one to what is asked for.
    pub fn new(number: u32, size: u32) -> Self {
        Self { number: number.max(1), size: size.clamp(1, PAGE_SIZE_MAX) }
    }

    /// The only row of a list that has at most one.
    pub(crate) const SINGLE: Self = Self { number: 1, size: 1 };

    /// Rows before this page.
    pub(crate) fn before(self) -> i64 {
        i64::from(self.number - 1) * i64::from(self.size)
    }

    /// Rows up to the end of this page.
    pub(crate) fn until(self) -> i64 {
        i64::from(self.number) * i64::from(self.size)
    }
}

impl<T> Listed<T> {
    /// Whether the page lies behind the last row; the first page never does.
    pub fn is_past_end(&self, page: Page) -> bool {
        page.number > 1 && self.items.is_empty()
    }

    /// From rows in order, each with its number and the count of all. Statements always answer the
    /// first row of the whole list too, so that a page behind the end still has the count.
    pub(crate) fn from_numbered<R, E>(
        rows: Vec<R>,
        page: Page,
        numbered: impl Fn(&R) -> (i64, i64),
        read: impl Fn(R) -> Result<T, E>,
    ) -> Result<Self, E> {
        let total = rows.first().map_or(0, |row| numbered(row).1);
        let on_page = rows.into_iter().filter(|row| numbered(row).0 > page.before());
        let items = on_page.map(read).collect::<Result<Vec<T>, E>>()?;
        Ok(Self { total: u64::try_from(total).unwrap_or(0), items })
    }

    /// Of a list that has at most one row.
    pub(crate) fn single(self) -> Option<T> {
        self.items.into_iter().next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(numbers: &[i64], total: i64, page: Page) -> Listed<i64> {
        Listed::from_numbered(numbers.to_vec(), page, |n| (*n, total), Ok::<_, ()>).unwrap()
    }

    #[test]
    fn the_first_row_carries_the_count_and_is_not_on_later_pages() {
        let page = Page::new(2, 2);
        assert_eq!(listed(&[1, 3], 3, page), Listed { total: 3, items: vec![3] });
        let behind = listed(&[1], 3, Page::new(9, 2));
        assert_eq!((behind.total, behind.items.len()), (3, 0));
        assert!(behind.is_past_end(Page::new(9, 2)));
    }

    #[test]
    fn the_first_page_of_an_empty_list_is_not_past_its_end() {
        assert!(!listed(&[], 0, Page::new(1, 20)).is_past_end(Page::new(1, 20)));
    }

    #[test]
    fn a_page_stays_within_the_limits() {
        assert_eq!(Page::new(0, 0), Page { number: 1, size: 1 });
        assert_eq!(Page::new(u32::MAX, u32::MAX).size, PAGE_SIZE_MAX);
        assert!(Page::new(u32::MAX, PAGE_SIZE_MAX).until() > 0);
    }
}
