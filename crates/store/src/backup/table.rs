//! The tables that a backup holds, in an order in which every reference is already there.

/// A table, and how it is read and written.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// A letter for each column: `n` number, `t` text, `b` bytes.
    pub(super) columns: &'static str,
    pub(super) select: &'static str,
    pub(super) insert: &'static str,
}

/// Tokens and leases are left out: they end with the database they were made in.
pub(super) const TABLES: &[Table] = &[
    Table {
        name: "meta",
        columns: "tt",
        select: "SELECT name, value FROM meta WHERE name <> 'schema' ORDER BY name",
        insert: "INSERT INTO meta (name, value) VALUES (?1, ?2)",
    },
    Table {
        name: "object",
        columns: "nttnnt",
        select: "SELECT id, kind, name, version, schema, body FROM object ORDER BY id",
        insert: "INSERT INTO object (id, kind, name, version, schema, body) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    },
    Table {
        name: "reference",
        columns: "nnt",
        select: "SELECT source, target, field FROM reference ORDER BY source, target, field",
        insert: "INSERT INTO reference (source, target, field) VALUES (?1, ?2, ?3)",
    },
    Table {
        name: "unique_key",
        columns: "tttn",
        select: "SELECT kind, name, value, object FROM unique_key ORDER BY kind, name, value",
        insert: "INSERT INTO unique_key (kind, name, value, object) VALUES (?1, ?2, ?3, ?4)",
    },
    Table {
        name: "secret",
        columns: "ntbn",
        select: "SELECT owner, kind, sealed, changed FROM secret ORDER BY owner, kind",
        insert: "INSERT INTO secret (owner, kind, sealed, changed) VALUES (?1, ?2, ?3, ?4)",
    },
    Table {
        name: "device_generation",
        columns: "nn",
        select: "SELECT device, generation FROM device_generation ORDER BY device",
        insert: "INSERT INTO device_generation (device, generation) VALUES (?1, ?2)",
    },
    Table {
        name: "change",
        columns: "nnttttnttnttt",
        select: "SELECT sequence, time, actor, actor_name, operation, operation_id, object, kind, \
                 name, version, before, after, detail FROM change ORDER BY sequence",
        insert: "INSERT INTO change (sequence, time, actor, actor_name, operation, operation_id, \
                 object, kind, name, version, before, after, detail) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    },
    Table {
        name: "operation",
        columns: "tnt",
        select: "SELECT id, time, outcome FROM operation ORDER BY time, id",
        insert: "INSERT INTO operation (id, time, outcome) VALUES (?1, ?2, ?3)",
    },
    Table {
        name: "credential_attempt",
        columns: "ntn",
        select: "SELECT owner, kind, time FROM credential_attempt ORDER BY id",
        insert: "INSERT INTO credential_attempt (owner, kind, time) VALUES (?1, ?2, ?3)",
    },
    Table {
        name: "binding",
        columns: "nbn",
        select: "SELECT device, blob, expires FROM binding ORDER BY device",
        insert: "INSERT INTO binding (device, blob, expires) VALUES (?1, ?2, ?3)",
    },
    Table {
        name: "login",
        columns: "nnbn",
        select: "SELECT device, account, blob, expires FROM login ORDER BY device",
        insert: "INSERT INTO login (device, account, blob, expires) VALUES (?1, ?2, ?3, ?4)",
    },
    Table {
        name: "job",
        columns: "ttnt",
        select: "SELECT kind, state, due, body FROM job ORDER BY id",
        insert: "INSERT INTO job (kind, state, due, body) VALUES (?1, ?2, ?3, ?4)",
    },
    Table {
        name: "call_record",
        columns: "nnttt",
        select: "SELECT began, ended, calling, called, body FROM call_record ORDER BY id",
        insert: "INSERT INTO call_record (began, ended, calling, called, body) \
                 VALUES (?1, ?2, ?3, ?4, ?5)",
    },
];
