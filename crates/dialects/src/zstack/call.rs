//! What a call says in its headers, and how calls that run as jobs are answered.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, StatusCode, request::Parts},
};
use futures_util::{FutureExt as _, future::BoxFuture};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use strongroom_domain::{
    Annotations, OperationId,
    operation::{Operation, OperationError},
};
use strongroom_http::extract::Base;
use strongroom_service::{Caller, Error as ServiceError, Service, operations::NewOperation};

use super::{
    error::Error,
    map, webhooks,
    wire::reply::{Accepted, Json},
};

/// The result of a job that was done at once, as JSON text.
pub(crate) const RESULT: &str = "zstack.result";
/// The access key whose secret belongs into the result: it is kept sealed and nowhere else.
pub(crate) const ACCESS_KEY: &str = "zstack.accessKey";
/// Whether the client wants the schema with the job's result.
pub(crate) const SCHEMA: &str = "zstack.schema";

/// Scheme and host that the client used, for URLs in what it is told later.
pub(crate) const BASE: &str = "zstack.base";

/// The job's id as the client wrote it, where that is no uuid in lower case.
pub(crate) const JOB: &str = "zstack.job";

/// How long the client lets the job take, in milliseconds; nothing where it did not say.
pub(crate) const DEADLINE: &str = "zstack.deadline";

/// How long a job may take unless the client says, in milliseconds: the vendor's default.
pub(crate) const TIMEOUT: u64 = 30 * 60 * 1000;

/// The headers of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    /// The job's id, chosen by the client.
    pub(crate) job: Option<OperationId>,
    /// That id as it was written, if it is no uuid in lower case.
    job_text: Option<String>,
    /// The answer shall come with its schema.
    pub(crate) schema: bool,
    /// How long the job may take, in milliseconds.
    timeout: Option<u64>,
    /// What to call when the job has ended.
    hook: Option<String>,
    /// Scheme and host that the client used.
    pub(crate) base: Base,
}

/// How a call that runs as a job went so far.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Work goes on.
    Started(Operation),
    /// It is done, with this JSON as result.
    Done(String),
    /// It is done; the secret of this access key has to be put into the result.
    Key(String, String),
}

impl Outcome {
    /// It is done, with this result.
    pub(crate) fn done(result: &impl Serialize) -> Result<Self, Error> {
        Ok(Self::Done(serde_json::to_string(result)?))
    }
}

impl<S: Sync> FromRequestParts<S> for Call {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let Ok(base) = Base::from_request_parts(parts, &()).await;
        Self::read(&parts.headers, base)
    }
}

impl Call {
    fn read(headers: &HeaderMap, base: Base) -> Result<Self, Error> {
        let text = |name: &str| headers.get(name).and_then(|it| it.to_str().ok());
        let job_text = headers
            .get("x-job-uuid")
            .map(|it| it.to_str().unwrap_or_default());
        let job = job_text.map(job_id).transpose()?;
        let job_text = job_text.filter(|it| job.map(OperationId::simple).as_deref() != Some(it));
        let timeout = text("x-api-timeout").map(timeout).transpose()?;
        let timeout = timeout.filter(|it| *it > 0);
        Ok(Self {
            job,
            job_text: job_text.map(str::to_owned),
            schema: headers.contains_key("x-json-schema"),
            timeout,
            hook: text("x-web-hook").map(webhooks::checked).transpose()?,
            base,
        })
    }

    /// What a job's operation must remember of the call.
    pub(crate) fn annotations(&self) -> Annotations {
        let mut annotations = Annotations::default();
        if self.schema {
            annotations.set(SCHEMA, true);
        }
        if self.hook.is_some() {
            annotations.set(BASE, self.base.0.as_str());
        }
        if let Some(job) = &self.job_text {
            annotations.set(JOB, job.as_str());
        }
        if let Some(timeout) = self.timeout {
            annotations.set(DEADLINE, timeout);
        }
        annotations
    }

    /// The operation that a job of this call is.
    pub(crate) fn operation(&self) -> NewOperation {
        NewOperation {
            id: self.job,
            annotations: self.annotations(),
        }
    }

    /// Carries out a call that runs as a job, unless its job id was used before.
    pub(crate) fn run<'a>(
        &'a self,
        service: &'a Service,
        caller: &'a Caller,
        timeout: u64,
        work: impl Future<Output = Result<Outcome, Error>> + Send + 'a,
    ) -> BoxFuture<'a, Result<Json<Accepted>, Error>> {
        async move {
            self.check_job(service).await?;
            let outcome = work.await;
            self.accept(service, caller, timeout, outcome).await
        }
        .boxed()
    }

    /// Answers a call that runs as a job. What is wrong with its content is reported by the job;
    /// only what is wrong with the request itself is said at once.
    async fn accept(
        &self,
        service: &Service,
        caller: &Caller,
        timeout: u64,
        outcome: Result<Outcome, Error>,
    ) -> Result<Json<Accepted>, Error> {
        let operation = match outcome {
            Ok(Outcome::Started(operation)) => operation,
            Ok(Outcome::Done(result)) => {
                let result = [(RESULT, result)];
                self.record(service, caller, result, None).await?
            }
            Ok(Outcome::Key(result, key)) => {
                let result = [(RESULT, result), (ACCESS_KEY, key)];
                self.record(service, caller, result, None).await?
            }
            Err(error) if self.is_taken(&error) => return Err(self.duplicate()),
            Err(error) => match error.for_job() {
                Some(failure) => self.record(service, caller, [], Some(failure)).await?,
                None => return Err(error),
            },
        };
        if let Some(hook) = &self.hook {
            service.call_back(caller, &operation, hook.clone()).await?;
        }
        let job = self.job_named(operation.id);
        Ok(Json(StatusCode::ACCEPTED, self.accepted(&job, timeout)))
    }

    /// Where to poll a job, and how long it may take.
    pub(crate) fn accepted(&self, job: &str, timeout: u64) -> Accepted {
        let Base(base) = &self.base;
        let job = utf8_percent_encode(job, NON_ALPHANUMERIC);
        Accepted {
            location: format!("{base}/zstack/v1/api-jobs/{job}"),
            api_timeout: self.timeout.unwrap_or(timeout),
        }
    }

    async fn record(
        &self,
        service: &Service,
        caller: &Caller,
        result: impl IntoIterator<Item = (&'static str, String)>,
        failure: Option<OperationError>,
    ) -> Result<Operation, Error> {
        let mut annotations = self.annotations();
        for (name, value) in result {
            annotations.set(name, value);
        }
        let recorded = service
            .record_operation(caller, self.job, annotations, failure)
            .await;
        recorded.map_err(Error::from).map_err(|error| {
            if self.is_taken(&error) {
                self.duplicate()
            } else {
                error
            }
        })
    }

    /// Refuses a job id that was used before.
    async fn check_job(&self, service: &Service) -> Result<(), Error> {
        let Some(job) = self.job else { return Ok(()) };
        match service.operation(None, job).await {
            Ok(_) => Err(self.duplicate()),
            Err(ServiceError::NotFound { .. }) => Ok(()),
            Err(other) => Err(other.into()),
        }
    }

    fn is_taken(&self, error: &Error) -> bool {
        self.job.is_some()
            && matches!(
                error,
                Error::Common(ServiceError::Conflict {
                    noun: "operation",
                    ..
                })
            )
    }

    fn duplicate(&self) -> Error {
        let id = self.job.map(|it| self.job_named(it)).unwrap_or_default();
        Error::transport(StatusCode::BAD_REQUEST, format!("Duplicate job uuid[{id}]"))
    }

    /// The job's id as the client knows it.
    fn job_named(&self, id: OperationId) -> String {
        self.job_text.clone().unwrap_or_else(|| id.simple())
    }
}

fn job_id(text: &str) -> Result<OperationId, Error> {
    map::job(text).ok_or_else(|| {
        let text = "Invalid header[X-Job-UUID], it must be a UUID with '-' stripped";
        Error::transport(StatusCode::BAD_REQUEST, text)
    })
}

/// Seconds, as milliseconds; zero is as none.
fn timeout(text: &str) -> Result<u64, Error> {
    let seconds: Option<u64> = text.trim().parse().ok();
    seconds.and_then(|it| it.checked_mul(1000)).ok_or_else(|| {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Error::transport(status, format!("For input string: \"{text}\""))
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    fn read(pairs: &[(&'static str, &str)]) -> Result<Call, (StatusCode, String)> {
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), value.parse().unwrap())
        };
        let headers: HeaderMap = pairs.iter().map(pair).collect();
        Call::read(&headers, Base("http://backup.example".to_owned())).map_err(
            |error| match error {
                Error::Transport { status, text } => (status, text),
                other => panic!("{other:?}"),
            },
        )
    }

    #[test]
    fn headers_choose_job_timeout_and_schema() {
        let call = read(&[
            ("x-job-uuid", "742a7c7d4a4f3a01b206632a40ac414f"),
            ("x-api-timeout", "60"),
            ("x-json-schema", "yes"),
        ]);
        let call = call.unwrap();
        assert_eq!(
            call.job.unwrap().simple(),
            "742a7c7d4a4f3a01b206632a40ac414f"
        );
        assert_eq!((call.timeout, call.schema), (Some(60_000), true));
    }

    #[test]
    fn of_a_job_id_only_the_length_counts() {
        let job = |id: &str| read(&[("x-job-uuid", id)]).unwrap();
        let (a, b) = (
            job(&"z".repeat(32)),
            job("a job of 32 characters, or so/%?"),
        );
        assert_eq!(a, job(&"z".repeat(32)));
        assert_ne!(a.job, b.job);
        let id = a.job.unwrap();
        assert_eq!(a.job_named(id), "z".repeat(32));
        assert_eq!(map::job(&"z".repeat(32)), Some(id));
    }

    #[test]
    fn bad_headers_are_refused_in_the_vendors_words() {
        for id in [
            "",
            "742a",
            "742a7c7d-4a4f-3a01-b206-632a40ac414f",
            &"z".repeat(31),
            &"z".repeat(33),
        ] {
            let text = "Invalid header[X-Job-UUID], it must be a UUID with '-' stripped";
            let expected = (StatusCode::BAD_REQUEST, text.to_owned());
            assert_eq!(read(&[("x-job-uuid", id)]), Err(expected), "{id}");
        }
        let (status, _) = read(&[("x-api-timeout", "soon")]).unwrap_err();
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    }
}
