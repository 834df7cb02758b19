//! What a person finds who opens a door with a browser: what this is, and where to go on.

use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use jackfield_model::Language;

use crate::files::PhoneFiles;
use crate::language::language_of;

/// Answers `/` at the people's door.
pub(crate) async fn people(request: Request) -> Response {
    let language = language_of(request.headers());
    page(
        language,
        match language {
            Language::Japanese => {
                "<p>これは電話のコミュニケーションマネージャ Jackfield です。</p>\
             <p>管理は <code>jackfield --server URL login USER</code> コマンド、または \
             <a href=\"/api/v1/openapi.json\">REST API</a> で行います。</p>\
             <p>サーバの状態は <a href=\"/health/ready\">/health/ready</a> と \
             <a href=\"/metrics\">/metrics</a> で確認できます。</p>"
            }
            _ => {
                "<p>This is Jackfield, a communications manager for telephones.</p>\
             <p>It is administered with the command <code>jackfield --server URL login USER</code> \
             and by the <a href=\"/api/v1/openapi.json\">REST API</a>.</p>\
             <p>How the server is doing is at <a href=\"/health/ready\">/health/ready</a> and \
             <a href=\"/metrics\">/metrics</a>.</p>"
            }
        }
        .to_owned(),
    )
}

/// Answers `/` at the door of phone files.
pub(crate) async fn phones(State(files): State<PhoneFiles>, request: Request) -> Response {
    let language = language_of(request.headers());
    let people = files.people_url();
    page(
        language,
        match language {
            Language::Japanese => format!(
                "<p>ここは Jackfield が電話機にファイルを配布するポートです。</p>\
             <p>電話機は自分の名前またはハードウェアアドレスのファイルを取得します。</p>\
             <p>管理のためのポートは <a href=\"{people}\">{people}</a> です。</p>"
            ),
            _ => format!(
                "<p>This is where Jackfield gives telephones their files.</p>\
             <p>A phone fetches the file of its name or hardware address.</p>\
             <p>People find the server at <a href=\"{people}\">{people}</a>.</p>"
            ),
        },
    )
}

fn page(language: Language, text: String) -> Response {
    let headers = [
        (header::CONTENT_LANGUAGE, language.tag()),
        (header::VARY, "accept-language"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    let tag = language.tag();
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"{tag}\"><head><meta charset=\"utf-8\">\
         <title>Jackfield</title></head>\n<body><h1>Jackfield</h1>\n{text}\n</body></html>\n"
    );
    (headers, Html(html)).into_response()
}
