//! What a staff device shows of itself, as display models. Words are keys of the catalogues.

use wallet_base::time::Timestamp;
use wallet_documents::display::{DisplayGroup, DisplayItem, DisplayModel, ItemRole, format_moment};

use crate::staff::Staff;
use crate::sync::SyncReport;
use crate::{ListDates, TrustDates};

/// Who this device is to citizens.
pub fn staff(staff: &Staff, now: Timestamp) -> DisplayModel {
    let items = vec![
        DisplayItem::text("label.organisation", staff.organisation.clone()).with(ItemRole::Title),
        DisplayItem::text("label.place", staff.place.clone()),
        DisplayItem::text("label.device", staff.device.clone()),
        DisplayItem::text("label.certificate-until", format_moment(staff.valid_until)).warn_if(staff.valid_until < now),
    ];
    DisplayModel::new("staff", "title.staff", vec![DisplayGroup::new("group.device", items)])
}

/// What is held for the time without a network.
pub fn held(trust: Option<&TrustDates>, lists: &[ListDates], now: Timestamp) -> DisplayModel {
    let mut items = trust_items(trust, now);
    items.push(DisplayItem::text("label.lists", lists.len().to_string()).warn_if(lists.is_empty()));
    // The oldest list is the one that will be missed first.
    if let Some(oldest) = lists.iter().map(|list| list.issued_at).min() {
        items.push(DisplayItem::text("label.list-issued", format_moment(oldest)));
    }
    DisplayModel::new("held", "group.held", vec![DisplayGroup::new("", items)])
}

/// What a sync brought.
pub fn sync(report: &SyncReport, now: Timestamp) -> DisplayModel {
    let mut items = trust_items(report.trust.as_ref(), now);
    items.push(DisplayItem::text("label.lists", report.lists.to_string()));
    items.push(DisplayItem::text("label.stored", report.stored.to_string()));
    DisplayModel::new("sync", "title.sync", vec![DisplayGroup::new("group.news", items)])
}

fn trust_items(trust: Option<&TrustDates>, now: Timestamp) -> Vec<DisplayItem> {
    let Some(trust) = trust else {
        return vec![DisplayItem::key("label.warning", "problem.no-trust").with(ItemRole::Warning)];
    };
    vec![
        DisplayItem::text("label.trust-version", trust.version.to_string()),
        DisplayItem::text("label.trust-expires", format_moment(trust.expires)).warn_if(trust.expires < now),
    ]
}
