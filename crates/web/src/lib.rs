//! HTTP doors: REST, phone pages, file download and metrics.
// NOTE to the author of this crate (delete when read): the command line already exists in
// crates/node/src/cli/{client,object,operate}.rs. Keep to the paths, query parameters and answer
// fields that it uses (e.g. GET /api/v1/{plural}?limit&cursor&filter=field=value&search -> {items,
// next}; singletons without a name: GET/PATCH /cluster-settings; POST /sessions {user_id,password}
// -> {token,must_change_password}; DELETE /sessions/current; /setup -> {status, flows:[{title,
// steps:[{title,done,missing,remedy,command}]}], finding:[..]}; /services {items:[{node,service,
// activated,running,state}]}, POST /services/{service}/{activate|...} {node}; PUT
// /self-provisioning/settings {settings,restart}; PUT /self-provisioning/code {code}; PUT
// /users/{id}/password|pin; POST /users/{id}/unlock; POST /phones/{p}/assign {user} ...; /status;
// /calls; /audit?limit&actor&operation; /languages, POST /languages/rescan; POST /quick-add), or
// improve both. PATCH/POST answers carry `takes` (what the change needs, as a sentence) if any.
// Where node must do something (services, restart, inspect, overview, provision, languages) use
// one object-safe async-free or boxed-future trait `Operator` that node implements.
