//! Cursors over lists that the core hands out whole, because a tenant keeps them short.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use strongroom_domain::{Page, Paged, Start};
use strongroom_service::{Error, Result};
use uuid::Uuid;

/// Where an item stands in a list: by time of creation, then by id.
pub type Place = (Timestamp, Uuid);

/// The part of `items` that `page` asks for. `items` are in the order of `place`, ascending or
/// descending. A cursor names the last item of the page before, so that items that come and go
/// meanwhile neither repeat nor hide others.
pub fn cut<T>(items: Vec<T>, page: &Page, place: impl Fn(&T) -> Place) -> Result<Paged<T>> {
    let total = items.len();
    let skip = match &page.start {
        Start::First => 0,
        Start::Offset(rows) => usize::try_from(*rows).unwrap_or(usize::MAX),
        Start::Cursor(cursor) => after(&items, read(cursor)?, &place),
    };
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let more = total > skip.saturating_add(limit);
    let items: Vec<T> = items.into_iter().skip(skip).take(limit).collect();
    let next = items.last().filter(|_| more).map(|it| write(place(it)));
    let total = page.total.then_some(total as u64);
    Ok(Paged { items, total, next })
}

fn after<T>(items: &[T], last: Place, place: &impl Fn(&T) -> Place) -> usize {
    let descending = match items {
        [first, .., last] => place(first) > place(last),
        _ => false,
    };
    items.partition_point(|it| {
        if descending {
            place(it) >= last
        } else {
            place(it) <= last
        }
    })
}

fn write((at, id): Place) -> String {
    let mut bytes = [0; 24];
    bytes[..8].copy_from_slice(&at.as_microsecond().to_be_bytes());
    bytes[8..].copy_from_slice(id.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

fn read(cursor: &str) -> Result<Place> {
    let bad = || Error::invalid("cursor", "is not one that a page gave");
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| bad())?;
    let bytes: [u8; 24] = bytes.try_into().map_err(|_| bad())?;
    let (at, id) = bytes.split_first_chunk::<8>().ok_or_else(bad)?;
    let at = Timestamp::from_microsecond(i64::from_be_bytes(*at)).map_err(|_| bad())?;
    let id = Uuid::from_slice(id).map_err(|_| bad())?;
    Ok((at, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(n: u8) -> Place {
        let at = Timestamp::from_microsecond(i64::from(n) / 2).unwrap();
        (at, Uuid::from_bytes([n; 16]))
    }

    fn walk(items: &[Place], limit: u64) -> Vec<Place> {
        let mut page = Page {
            limit,
            start: Start::First,
            total: true,
        };
        let mut seen = Vec::new();
        loop {
            let cut = cut(items.to_vec(), &page, |it| *it).unwrap();
            assert_eq!(cut.total, Some(items.len() as u64));
            seen.extend(cut.items);
            match cut.next {
                Some(next) => page.start = Start::Cursor(next),
                None => return seen,
            }
        }
    }

    #[test]
    fn pages_show_every_item_once_in_either_order() {
        let mut items: Vec<_> = (0..10).map(item).collect();
        for limit in [1, 3, 10, 11] {
            assert_eq!(walk(&items, limit), items);
        }
        items.reverse();
        for limit in [1, 3, 10, 11] {
            assert_eq!(walk(&items, limit), items);
        }
    }

    #[test]
    fn a_cursor_goes_on_where_its_item_was_removed() {
        let items: Vec<_> = (0..4).map(item).collect();
        let page = Page {
            limit: 2,
            start: Start::First,
            total: false,
        };
        let first = cut(items.clone(), &page, |it| *it).unwrap();
        let rest = [items[0], items[2], items[3]].to_vec();
        let page = Page {
            start: Start::Cursor(first.next.unwrap()),
            ..page
        };
        assert_eq!(cut(rest, &page, |it| *it).unwrap().items, items[2..]);
    }

    #[test]
    fn a_cursor_that_no_page_gave_is_refused() {
        for bad in ["", "abc", "____", "AAAAAAAAAAA"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
