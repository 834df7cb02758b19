use jackfield_model::{Directory, Entry, Kind, setup};
use jackfield_store::StoreError;
use jackfield_vocabulary::{Code, ObjectId, Refusal};
use serde_json::{Value, json};

use super::filter::{Filter, check_field};
use super::{find, shown, states};
use crate::api::credential::shown_lock;
use crate::call::{Answer, Call};
use crate::fault::Fault;

/// What a list shows.
#[derive(Clone)]
pub(super) struct Wanted {
    kind: Kind,
    filters: Vec<Filter>,
    /// Words in lower case; none where nothing was searched for.
    search: Vec<String>,
    fields: Option<Vec<String>>,
    /// What stands before the page.
    pub(super) cursor: String,
    pub(super) limit: usize,
}

/// A page of the objects of a kind, in the order of their names.
pub(crate) async fn list(call: Call) -> Result<Answer, Fault> {
    let wanted = Wanted::of(&call)?;
    if call.kind()? == Kind::Phone
        && let Some(registered) = states::asked(&call)?
    {
        return states::page(&call.app, wanted, registered).await;
    }
    let directory = call.app.directory();
    // A filter may have to look at every object.
    let page = call.app.blocking(move |_| Ok::<_, StoreError>(wanted.page(&directory))).await?;
    Ok(Answer::ok(page))
}

/// One object.
pub(crate) async fn one(call: Call) -> Result<Answer, Fault> {
    let directory = call.app.directory();
    let kind = call.kind()?;
    let id = find(&directory, kind, call.param("name"))?;
    let is_account = matches!(kind, Kind::EndUser | Kind::ApplicationUser);
    if !is_account || !call.app.store().answers() {
        return answer_with(&directory, id);
    }
    let locks = call.app.blocking(move |store| store.locks(Some(id))).await?;
    let entry = directory.entry(id).ok_or(Code::NotFound)?;
    let mut object = shown(&directory, id, entry);
    if !locks.is_empty() {
        object["locks"] = locks.iter().map(shown_lock).collect();
    }
    Ok(Answer::ok(object).version(entry.version))
}

/// What uses an object (CTI-45); of a line also what calls its number by a setting.
pub(crate) async fn dependents(call: Call) -> Result<Answer, Fault> {
    let directory = call.app.directory();
    let id = find(&directory, call.kind()?, call.param("name"))?;
    let dependents = call
        .app
        .blocking(move |_| {
            let callers = setup::callers(&directory, &[id].into()).into_iter();
            let callers = callers.map(|(from, field, _)| (from, field));
            let all = directory.dependents(id).into_iter().chain(callers);
            let rows = all.filter_map(|(from, field)| {
                let kind = directory.entry(from)?.body.kind();
                let name = directory.label(from);
                Some(json!({ "kind": kind.name(), "id": from.0, "name": name, "field": field }))
            });
            Ok(rows.take(MOST_DEPENDENTS).collect::<Vec<_>>())
        })
        .await?;
    Ok(Answer::ok(json!({ "items": dependents })))
}

/// An object with its version.
pub(super) fn answer_with(directory: &Directory, id: ObjectId) -> Result<Answer, Fault> {
    let entry = directory.entry(id).ok_or(Code::NotFound)?;
    Ok(Answer::ok(shown(directory, id, entry)).version(entry.version))
}

impl Wanted {
    pub(super) fn of(call: &Call) -> Result<Self, Fault> {
        let (kind, directory) = (call.kind()?, call.app.directory());
        let filters = call.query.iter().filter(|(key, _)| key == "filter");
        let filters = filters.map(|(_, text)| Filter::parse(kind, text)?.judged(kind, &directory));
        let filters = filters.collect::<Result<Vec<_>, _>>()?;
        if filters.len() > MOST_FILTERS {
            let refusal = Refusal::new(Code::InvalidValue).field("filter");
            return Err(refusal.value("allowed", format!("≤ {MOST_FILTERS}")).into());
        }
        let fields = call.query("fields").map(|fields| {
            fields.split(',').map(|field| field.trim().to_owned()).collect::<Vec<_>>()
        });
        for field in fields.iter().flatten() {
            check_field(kind, field)?;
        }
        Ok(Self {
            kind,
            filters,
            search: words(call.query("search").unwrap_or_default())?,
            fields,
            cursor: call.query("cursor").unwrap_or_default().into(),
            limit: call.limit()?,
        })
    }

    /// Nothing is left out.
    pub(super) fn is_everything(&self) -> bool {
        self.filters.is_empty() && self.search.is_empty()
    }

    /// Whoever hears which objects pass learns more than that one of a name is there.
    pub(super) fn tells_of_fields(&self) -> bool {
        !self.search.is_empty() || !self.filters.iter().all(Filter::names_one)
    }

    /// Something in particular is asked for: not only that something is not so, which may leave nothing
    /// out.
    pub(super) fn names_something(&self) -> bool {
        !self.search.is_empty() || self.filters.iter().any(Filter::names_something)
    }

    /// Every object that is wanted.
    pub(super) fn fitting(&self, directory: &Directory) -> Vec<ObjectId> {
        let all = directory.after_name(self.kind, "");
        if self.is_everything() {
            return all.map(|(id, _)| id).collect();
        }
        let fits = |(id, entry)| self.entry(directory, id, entry).map(|_| id);
        all.filter_map(fits).collect()
    }

    pub(super) fn page(&self, directory: &Directory) -> Value {
        let (mut items, mut last) = (Vec::new(), None);
        for (id, entry) in directory.after_name(self.kind, &self.cursor) {
            let Some(object) = self.entry(directory, id, entry) else { continue };
            if items.len() == self.limit {
                return json!({ "items": items, "next": last });
            }
            items.push(object);
            last = Some(entry.body.name());
        }
        json!({ "items": items, "next": null })
    }

    fn entry(&self, directory: &Directory, id: ObjectId, entry: &Entry) -> Option<Value> {
        if !directory.is_found_by(id, &self.search) {
            return None;
        }
        let mut object = shown(directory, id, entry);
        if !self.filters.iter().all(|filter| filter.fits(&object)) {
            return None;
        }
        if let (Some(fields), Value::Object(object)) = (&self.fields, &mut object) {
            object.retain(|key, _| key == "id" || fields.contains(key));
        }
        Some(object)
    }
}

/// The words of a search.
fn words(text: &str) -> Result<Vec<String>, Refusal> {
    let words: Vec<String> = text.to_lowercase().split_whitespace().map(Into::into).collect();
    if words.len() > MOST_WORDS {
        let refusal = Refusal::new(Code::InvalidValue).field("search");
        return Err(refusal.value("allowed", format!("≤ {MOST_WORDS}")));
    }
    Ok(words)
}

const MOST_FILTERS: usize = 16;
const MOST_WORDS: usize = 16;
const MOST_DEPENDENTS: usize = 10_000;
