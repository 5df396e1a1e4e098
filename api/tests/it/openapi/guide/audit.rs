//! Who did what.

use super::call::Call;
use super::people::People;
use super::recorder::Recorder;

pub async fn audit_log(guide: &mut Recorder<'_>, people: &People, organization: i64) {
    let about = "Newest first. Filters: `organization`, `user`, `action` (several with commas), `target_type`, `target_id`, \
                 `date_from`, `date_to` (days or moments), with `page` and `page_size`.";
    guide.chapter("Audit log", about);
    guide.app.catch_up().await;
    let path = format!(
        "/api/core/audit-logs/?organization={organization}&action=import,export&page_size=2"
    );
    guide.call(Call::get(path).with_token(&people.ann).titled("Imports and exports"), 200).await;
    let path = format!(
        "/api/core/audit-logs/?organization={organization}&target_type=project&page_size=2"
    );
    guide
        .call(Call::get(path).with_token(&people.ann).titled("What happened to projects"), 200)
        .await;
    let note = "One CloudEvent per line, oldest first; go on with `after=` and `KeyNest-Position`. See docs/EVENT_FEED.md.";
    let path = format!("/api/events/?organization={organization}&type=project.created&limit=1");
    let call = Call::get(path).with_token(&people.ann).titled("Events for programs").note(note);
    guide.call(call, 200).await;
}
