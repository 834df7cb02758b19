//! The same change of many objects, or the end of them: all that pass a filter, and all or none.
//! Every row is judged first, on a directory of its own, and each that is refused is named; then it
//! goes in chunks, so that others can write in between. More than one chunk is a job that goes on by
//! itself; what a chunk wrote stays written when a later one fails, and the job tells how far it
//! came.

use std::collections::{BTreeMap, BTreeSet};

use jackfield_model::{
    Actor, Directory, Ids, Kind, Language, Operation, Outcome, Privilege, setup, warnings,
};
use jackfield_store::StoreError;
use jackfield_vocabulary::{Code, ObjectId, OperationId, Refusal};
use serde_json::{Value, json};

use super::accept;
use super::read::Wanted;
use super::write::warn;
use crate::app::App;
use crate::call::{Answer, Call};
use crate::clock::wall;
use crate::deed::{is_beyond, note_refused};
use crate::fault::{Fault, describe};
use crate::say;

/// Changes some fields of every object that passes the filter.
pub(crate) async fn change_many(call: Call) -> Result<Answer, Fault> {
    let (patch, _) = accept(call.kind()?, &call.body)?;
    if !call.body["id"].is_null() {
        let refusal = Refusal::new(Code::InvalidValue).field("id").value("rule", "fixed");
        return Err(refusal.value("found", &call.body["id"]).into());
    }
    do_to_many(call, Deed::Change(patch)).await
}

/// Deletes every object that passes the filter.
pub(crate) async fn delete_many(call: Call) -> Result<Answer, Fault> {
    do_to_many(call, Deed::Delete).await
}

async fn do_to_many(call: Call, deed: Deed) -> Result<Answer, Fault> {
    let kind = call.kind()?;
    let wanted = Wanted::of(&call)?;
    let all = flag(&call, "all")?;
    if call.query("search").is_some_and(|text| text.trim().is_empty()) {
        // A script whose word was empty.
        return Err(nothing_named("search").into());
    }
    if wanted.is_everything() && !all {
        return Err(nothing_named("filter").into());
    }
    if !call.reads_configuration() && wanted.tells_of_fields() {
        // Which objects pass tells what is in them.
        let read = Privilege::ReadConfiguration.name();
        return Err(Refusal::new(Code::Forbidden).value("privilege", read).into());
    }
    let (skip, check) = (flag(&call, "skip_refused")?, flag(&call, "check")?);
    let directory = call.app.directory();
    let (known, judged, actor) = (directory.clone(), deed.clone(), call.actor());
    let language = call.language;
    let stage = move || {
        let ids = wanted.fitting(&known);
        let everything = ids.len() == known.after_name(kind, "").count();
        if everything && !ids.is_empty() && !wanted.names_something() && !all {
            return Err(nothing_named("filter"));
        }
        let (mut staged, after) = stage(&known, kind, ids, &judged, &actor);
        if matches!(judged, Deed::Delete) {
            let gone = staged.ids.iter().copied().collect();
            staged.warned = setup::left_behind(&known, &gone, language);
        } else {
            staged.warned = news(&known, &after, &staged.ids, language);
        }
        Ok(staged)
    };
    let mut staged = call.app.blocking(move |_| Ok::<_, StoreError>(stage())).await??;
    let rows = staged.rows(kind, &directory, &call);
    if let Some((_, first)) = staged.refused.first().filter(|_| !skip || staged.more) {
        return Err(Fault::Rows { refusal: first.clone(), rows: rows.into() });
    }
    if let Some((id, refusal)) = staged.refused.iter().find(|(_, one)| is_beyond(one)) {
        let detail = json!({ "refused": refusal });
        let (app, operation) = (&call.app, deed.operation());
        note_refused(app, call.address, call.actor(), operation, Some(*id), detail);
    }
    let many = Many { kind, deed, ids: staged.ids };
    let total = many.ids.len();
    let takes = many.deed.takes(kind).map(|takes| say::takes(takes, call.language));
    let mut warnings = many.deed.warnings(kind, call.language);
    warnings.append(&mut staged.warned);
    if check {
        let mut answer = json!({ "total": total, "changed": 0, "refused": rows });
        warn(&mut answer, warnings);
        return Ok(Answer::ok(answer));
    }
    if total > CHUNK {
        return many.begin(&call, rows, takes, warnings);
    }
    let changed = many.chunk(&call.app, call.actor(), call.operation, &many.ids).await?;
    let mut answer = json!({ "total": total, "changed": changed, "refused": rows, "takes": takes });
    warn(&mut answer, warnings);
    Ok(Answer::ok(answer))
}

/// All objects are meant only where that is said.
fn nothing_named(field: &str) -> Refusal {
    let refusal = Refusal::new(Code::MissingField).field(field).value("rule", "which");
    refusal.value("allowed", "filter, search, all=true")
}

/// What is done to each.
#[derive(Clone)]
enum Deed {
    Change(Value),
    Delete,
}

impl Deed {
    fn batch(&self, ids: &[ObjectId]) -> Operation {
        let of = |id: &ObjectId| match self {
            Self::Change(patch) => {
                Operation::Update { id: *id, version: None, patch: patch.clone() }
            }
            Self::Delete => Operation::Delete { id: *id, version: None },
        };
        Operation::Batch(ids.iter().map(of).collect())
    }

    fn takes(&self, kind: Kind) -> Option<&'static str> {
        match self {
            Self::Change(patch) => takes(kind, patch),
            Self::Delete => None,
        }
    }

    fn warnings(&self, kind: Kind, language: Language) -> Vec<String> {
        match self {
            Self::Change(patch) => warnings(kind, &Value::Null, patch, language),
            Self::Delete => Vec::new(),
        }
    }

    /// As the audit calls it.
    fn operation(&self) -> &'static str {
        match self {
            Self::Change(_) => "update",
            Self::Delete => "delete",
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Change(_) => "change",
            Self::Delete => "delete",
        }
    }
}

/// What the change of these fields needs before it shows, by the schema's word for it.
fn takes(kind: Kind, patch: &Value) -> Option<&'static str> {
    let fields = &kind.schema_value()["properties"];
    let names = patch.as_object().into_iter().flatten().map(|(name, _)| name);
    names.filter_map(|name| fields[name]["x-takes"].as_str()).max_by_key(|takes| say::weight(takes))
}

/// The rows that can be changed, and those that can't.
#[derive(Default)]
struct Staged {
    ids: Vec<ObjectId>,
    refused: Vec<(ObjectId, Refusal)>,
    /// There are more than are named.
    more: bool,
    /// What still counts on those that go, or what was hardly meant of those that change, in words.
    warned: Vec<String>,
}

/// What a change of one object warns of, of each of these: the first ones of many, with their objects.
fn news(
    before: &Directory,
    after: &Directory,
    ids: &[ObjectId],
    language: Language,
) -> Vec<String> {
    let told = |id: &ObjectId| {
        let old = setup::concerns(before, *id, language);
        let mut told = setup::concerns(after, *id, language);
        told.retain(|one| !old.contains(one));
        told.extend(setup::left_unchanged(before, after, *id, language));
        let name = after.label(*id).unwrap_or_default();
        told.into_iter().map(move |one| format!("{name}: {one}"))
    };
    let mut all = ids.iter().take(CHUNK).flat_map(told);
    let mut some: Vec<String> = all.by_ref().take(MOST_WARNED).collect();
    if all.next().is_some() {
        some.push("…".to_owned());
    }
    some
}

/// Judges every row on what the ones before it leave; with what would be there then.
fn stage(
    directory: &Directory,
    kind: Kind,
    ids: Vec<ObjectId>,
    deed: &Deed,
    actor: &Actor,
) -> (Staged, Directory) {
    let (mut after, mut staged, now) = (directory.clone(), Staged::default(), wall());
    for chunk in ids.chunks(CHUNK) {
        let mut rest = chunk.to_vec();
        while !rest.is_empty() {
            // It makes no objects; these ids are never seen.
            let mut ids = Ids::after(ObjectId(u32::MAX / 2));
            match deed.batch(&rest).evaluate_for(actor, &after, &mut ids, now) {
                Ok(verdict) => {
                    after = after.apply(after.sequence(), &verdict.changes());
                    staged.ids.append(&mut rest);
                }
                Err(refusal) => {
                    let (row, refusal) = row_of(refusal);
                    // What is not about one row is about all of them together.
                    let row = row.filter(|row| *row < rest.len());
                    let row = row.map_or(0..rest.len(), |row| row..row + 1);
                    let refused = rest.drain(row).map(|id| (id, refusal.clone()));
                    if !staged.refuse(refused) {
                        return (staged, after);
                    }
                }
            }
        }
    }
    if matches!(deed, Deed::Delete) {
        staged.keep_used(directory, &after, kind);
    }
    (staged, after)
}

impl Staged {
    /// Whether one may go on: not when there are more than are named.
    fn refuse(&mut self, rows: impl IntoIterator<Item = (ObjectId, Refusal)>) -> bool {
        self.refused.extend(rows);
        self.more = self.refused.len() >= MOST_REFUSED;
        self.refused.truncate(MOST_REFUSED);
        !self.more
    }

    /// What something names that is there afterwards can't be deleted.
    fn keep_used(&mut self, before: &Directory, after: &Directory, kind: Kind) {
        let gone: BTreeSet<_> = self.ids.iter().copied().collect();
        let mut used: BTreeMap<ObjectId, Vec<String>> = BTreeMap::new();
        for (from, field, id) in after.uses(kind, &gone) {
            let by = used.entry(id).or_default();
            if by.len() < MOST_USERS {
                by.extend(after.use_of(from, &field));
            }
        }
        self.ids.retain(|id| !used.contains_key(id));
        self.refuse(used.into_iter().map(|(id, by)| {
            let name = before.label(id).unwrap_or_default();
            let refusal = Refusal::new(Code::InUse).object(kind.name(), &name);
            (id, refusal.value("by", by.join(", ")))
        }));
    }

    /// The refused rows, as clients read them.
    fn rows(&self, kind: Kind, directory: &Directory, call: &Call) -> Value {
        let row = |(id, refusal): &(ObjectId, Refusal)| {
            let mut row = describe(refusal, call.language);
            row["id"] = id.0.into();
            row["name"] = directory.label(*id).as_deref().into();
            row["kind"] = kind.name().into();
            row
        };
        self.refused.iter().map(row).collect()
    }
}

/// The place of the refused row, counted from 0, and the refusal without it; none when the change is
/// refused as a whole.
fn row_of(mut refusal: Refusal) -> (Option<usize>, Refusal) {
    let row = refusal.values.iter().find(|(name, _)| **name == *"row");
    let row = row.and_then(|(_, row)| row.parse::<usize>().ok()?.checked_sub(1));
    refusal.values.retain(|(name, _)| **name != *"row");
    (row, refusal)
}

/// What was judged.
struct Many {
    kind: Kind,
    deed: Deed,
    ids: Vec<ObjectId>,
}

impl Many {
    /// Writes one chunk; gives how many objects are other than before.
    async fn chunk(
        &self,
        app: &App,
        actor: Actor,
        operation: Option<OperationId>,
        ids: &[ObjectId],
    ) -> Result<usize, Fault> {
        let directory = app.directory();
        let version = |id: &ObjectId| Some((*id, directory.entry(*id)?.version));
        let before: BTreeMap<_, _> = ids.iter().filter_map(version).collect();
        let outcome = app.execute(operation, actor, self.deed.batch(ids)).await;
        let outcome = outcome.map_err(|error| match error {
            // Somebody changed the row since it was judged.
            StoreError::Refused(refusal) => {
                let (row, refusal) = row_of(refusal);
                let name = row.and_then(|row| directory.label(*ids.get(row)?));
                Fault::from(match name {
                    Some(name) => refusal.object(self.kind.name(), &name),
                    None => refusal,
                })
            }
            error => error.into(),
        })?;
        let Outcome::Saved(saved) = outcome else { return Err(Code::Internal.into()) };
        if matches!(self.deed, Deed::Delete) {
            return Ok(ids.len());
        }
        let is_new = |(id, version): &&(ObjectId, u32)| before.get(id) != Some(version);
        Ok(saved.iter().filter(is_new).count())
    }

    /// Goes on by itself; the answer names the job.
    fn begin(
        self,
        call: &Call,
        refused: Value,
        takes: Option<impl Into<Value>>,
        warnings: Vec<String>,
    ) -> Result<Answer, Fault> {
        let by = call.who.as_ref().map(|who| who.user_id.clone()).unwrap_or_default();
        let what = format!("{} {}", self.deed.word(), self.kind.plural());
        let job = call.app.jobs().begin(&what, by, self.ids.len(), refused)?;
        let (app, actor, language) = (call.app.clone(), call.actor(), call.language);
        tokio::spawn(async move {
            for chunk in self.ids.chunks(CHUNK) {
                match self.chunk(&app, actor.clone(), None, chunk).await {
                    Ok(changed) => app.jobs().step(job, chunk.len(), changed),
                    Err(fault) => return app.jobs().fail(job, fault.described(language)),
                }
            }
            app.jobs().end(job);
        });
        let mut shown = call.app.jobs().shown(job).ok_or(Code::Internal)?;
        shown["takes"] = takes.map_or(Value::Null, Into::into);
        warn(&mut shown, warnings);
        Ok(Answer::accepted(shown, format!("/api/v1/jobs/{job}")))
    }
}

fn flag(call: &Call, name: &str) -> Result<bool, Refusal> {
    match call.query(name) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(found) => {
            let refusal = Refusal::new(Code::InvalidValue).field(name).value("found", found);
            Err(refusal.value("allowed", "true | false"))
        }
    }
}

/// Rows of one commit: others wait for it.
const CHUNK: usize = 1500;

/// Warnings that are told.
const MOST_WARNED: usize = 20;

/// Refused rows that are named; when there are so many, nothing is done.
const MOST_REFUSED: usize = 100;

/// Users of one object that are named.
const MOST_USERS: usize = 10;
