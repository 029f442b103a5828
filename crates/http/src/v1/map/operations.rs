//! Operations, and what they are about.

use strongroom_domain::{
    Page,
    operation::{Operation, OperationError, Subject},
    query::{Filter, OperationField as F, Sort},
};

use super::common::{Conditions, page, sort};
use crate::{
    problem::Problem,
    v1::wire::{self, ListOperations},
};

impl From<Operation> for wire::Operation {
    fn from(operation: Operation) -> Self {
        let Operation {
            id,
            tenant_id: _,
            kind,
            face,
            subject,
            state,
            percent,
            error,
            annotations,
            created_by,
            created_at,
            updated_at,
            started_at,
            finished_at,
        } = operation;
        Self {
            id,
            kind,
            face,
            subject: subject.map(wire::Subject::from),
            state,
            percent,
            error: error.map(wire::OperationError::from),
            annotations: annotations.0,
            created_by,
            created_at,
            updated_at,
            started_at,
            finished_at,
        }
    }
}

impl From<OperationError> for wire::OperationError {
    fn from(error: OperationError) -> Self {
        let OperationError { code, message } = error;
        Self { code, message }
    }
}

impl From<Subject> for wire::Subject {
    fn from(subject: Subject) -> Self {
        match subject {
            Subject::Backup(id) => Self::Backup(id.uuid()),
            Subject::Checkpoint(id) => Self::Checkpoint(id.uuid()),
            Subject::Restore(id) => Self::Restore(id.uuid()),
            Subject::Resource(id) => Self::Resource(id.uuid()),
            Subject::Repository(id) => Self::Repository(id.uuid()),
            Subject::Vault(id) => Self::Vault(id.uuid()),
            Subject::Policy(id) => Self::Policy(id.uuid()),
        }
    }
}

/// A list of operations as the core asks for it.
#[derive(Debug)]
pub(in crate::v1) struct Listing {
    pub(in crate::v1) filter: Filter<F>,
    pub(in crate::v1) sort: Vec<Sort<F>>,
    pub(in crate::v1) page: Page,
}

impl TryFrom<ListOperations> for Listing {
    type Error = Problem;

    fn try_from(query: ListOperations) -> Result<Self, Problem> {
        let ListOperations {
            limit,
            cursor,
            total,
            sort: by,
            kind,
            state,
            subject_id,
        } = query;
        let mut all = Conditions::new();
        all.one_of(F::Kind, kind.iter().map(|it| it.as_str()));
        all.one_of(F::State, state.iter().map(|it| it.as_str()));
        all.equal(F::SubjectId, subject_id);
        Ok(Self {
            filter: all.all(),
            sort: sort(by)?,
            page: page(limit, cursor, total),
        })
    }
}
