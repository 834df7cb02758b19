use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jackfield_model::Language;
use jackfield_store::StoreError;
use jackfield_vocabulary::{Code, Refusal};
use serde_json::{Value, json};

use crate::say;

/// Why a request was not carried out. The client reads the refusal; the rest is for the log.
#[derive(Debug)]
pub(crate) enum Fault {
    /// A rule.
    Refused(Refusal),
    /// A rule, broken by some of many objects.
    Rows {
        /// The first of the refusals.
        refusal: Refusal,
        /// All of them, as shown.
        rows: Box<Value>,
    },
    /// The client must choose first (SP-23).
    Question {
        /// The question and its answers, as shown.
        body: Value,
    },
}

impl Fault {
    /// The answer, in the reader's language.
    pub(crate) fn response(&self, request: &str, language: Language) -> Response {
        let status = match self {
            Self::Refused(refusal) | Self::Rows { refusal, .. } => refusal.code.http_status(),
            Self::Question { .. } => 409,
        };
        let mut body = self.described(language);
        body["request_id"] = request.into();
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, axum::Json(body)).into_response()
    }

    /// The same of a question, by which nothing would have been changed.
    pub(crate) fn of_question(self) -> Self {
        match self {
            Self::Refused(refusal) if refusal.code == Code::DatabaseUnavailable => {
                Self::Refused(refusal.value("rule", "question"))
            }
            other => other,
        }
    }

    /// What the client reads.
    pub(crate) fn described(&self, language: Language) -> Value {
        match self {
            Self::Refused(refusal) => describe(refusal, language),
            Self::Rows { refusal, rows } => {
                let mut body = describe(refusal, language);
                body["rows"] = (**rows).clone();
                body
            }
            Self::Question { body } => body.clone(),
        }
    }

    /// The name of the rule, for the log.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) | Self::Rows { refusal, .. } => refusal.code.name(),
            Self::Question { .. } => "restart-choice-needed",
        }
    }
}

/// A refusal as clients read it: rule, sentence, field, whose setting, and what would change it.
pub(crate) fn describe(refusal: &Refusal, language: Language) -> Value {
    let (message, remedy) = say::refusal(refusal, language);
    let values = refusal
        .values
        .iter()
        .map(|(name, value)| (name.to_string(), Value::from(&**value)))
        .collect::<serde_json::Map<_, _>>();
    json!({
        "code": refusal.code.name(),
        "message": message,
        "field": refusal.field,
        "object": refusal.object,
        "remedy": remedy,
        "values": values,
    })
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Code> for Fault {
    fn from(code: Code) -> Self {
        Self::Refused(Refusal::new(code))
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        if !matches!(error, StoreError::Refused(_)) {
            tracing::error!(%error, "the store could not do what a request wanted");
        }
        Self::Refused(error.refusal())
    }
}
