//! Tokens, passwords, access keys and sessions.

use jiff::SignedDuration;
use strongroom_domain::{Clock, Role, Secret};
use strongroom_service::{Error, error::AuthFailure, identity::PasswordForm};
use strongroom_testkit::TestService;

fn failure<T: std::fmt::Debug>(result: Result<T, Error>) -> AuthFailure {
    match result.unwrap_err() {
        Error::Unauthenticated(failure) => failure,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_token_works_until_it_is_revoked() {
    let t = TestService::start().await;
    let admin = t.owner.principal_id;
    let issued = t
        .service
        .create_token(&t.owner, admin, "ci", None)
        .await
        .unwrap();
    let token = issued.token.expose();
    let caller = t.service.token_caller(token).await.unwrap();
    assert_eq!(
        (caller.tenant_id, caller.role),
        (t.owner.tenant_id, Role::Owner)
    );
    t.service
        .delete_credential(&t.owner, issued.credential.id)
        .await
        .unwrap();
    assert_eq!(
        failure(t.service.token_caller(token).await),
        AuthFailure::Invalid
    );
    assert_eq!(
        failure(t.service.token_caller("nonsense").await),
        AuthFailure::Malformed
    );
}

#[tokio::test]
async fn a_token_ends_when_it_was_said_to() {
    let t = TestService::start().await;
    let end = t.clock.now() + SignedDuration::from_secs(60);
    let admin = t.owner.principal_id;
    let issued = t
        .service
        .create_token(&t.owner, admin, "ci", Some(end))
        .await
        .unwrap();
    let token = issued.token.expose();
    t.service.token_caller(token).await.unwrap();
    t.clock.advance(SignedDuration::from_secs(58));
    t.service.token_caller(token).await.unwrap();
    t.clock.advance(SignedDuration::from_secs(2));
    assert_eq!(
        failure(t.service.token_caller(token).await),
        AuthFailure::Expired
    );
}

#[tokio::test]
async fn the_password_is_taken_with_the_tenant_by_name_by_id_or_alone() {
    let t = TestService::start().await;
    let password = || PasswordForm::Plain(t.tenant.password.clone());
    let id = t.owner.tenant_id.simple();
    for (tenant, name) in [
        (Some("tenant-1"), "admin"),
        (Some(id.as_str()), "admin"),
        (None, "admin"),
        (None, "tenant-1"),
    ] {
        let caller = t
            .service
            .password_caller(tenant, name, password())
            .await
            .unwrap();
        assert_eq!(
            caller.principal_id, t.owner.principal_id,
            "{tenant:?} {name}"
        );
    }
    let wrong = PasswordForm::Plain(Secret::new("wrong"));
    for (tenant, name, password) in [
        (None, "admin", wrong),
        (None, "nobody", password()),
        (Some("tenant-2"), "admin", password()),
    ] {
        let refused = t.service.password_caller(tenant, name, password).await;
        assert_eq!(failure(refused), AuthFailure::Invalid);
    }
    // A second `admin` takes nothing away from the first one, and has its tenant's own name.
    t.clock.advance(SignedDuration::from_secs(1));
    let (second, _) = t.another_tenant("tenant-2").await;
    let of_second = || PasswordForm::Plain(second.password.clone());
    for name in ["admin", "tenant-1"] {
        let first = t.service.password_caller(None, name, password()).await;
        assert_eq!(first.unwrap().principal_id, t.owner.principal_id, "{name}");
        let refused = t.service.password_caller(None, name, of_second()).await;
        assert_eq!(failure(refused), AuthFailure::Invalid);
    }
    let caller = t
        .service
        .password_caller(None, "tenant-2", of_second())
        .await;
    assert_ne!(caller.unwrap().tenant_id, t.owner.tenant_id);
}

#[tokio::test]
async fn an_access_key_gives_its_secret_back() {
    let t = TestService::start().await;
    let issued = &t.tenant.access_key;
    for _ in 0..2 {
        let (caller, secret) = t
            .service
            .access_key(&issued.credential.lookup)
            .await
            .unwrap();
        assert_eq!(caller.principal_id, t.owner.principal_id);
        assert_eq!(secret.expose(), issued.secret_key.expose());
    }
    let stored = issued.credential.sealed_secret.as_deref().unwrap();
    let plain = issued.secret_key.expose().as_bytes();
    assert!(!stored.windows(plain.len()).any(|it| it == plain));
    assert_eq!(
        failure(t.service.access_key("SRUNKNOWN").await),
        AuthFailure::Invalid
    );
}

#[tokio::test]
async fn a_session_slides_as_long_as_it_is_used() {
    let t = TestService::start().await;
    let (step, lifetime) = (SignedDuration::from_mins(50), SignedDuration::from_mins(60));
    let session = t.service.open_session(&t.owner, lifetime).await.unwrap();
    for _ in 0..3 {
        t.clock.advance(step);
        let found = t.service.session(session.id, Some(lifetime)).await.unwrap();
        assert_eq!(found.expires_at, t.clock.now() + lifetime);
        assert_eq!(found.caller.principal_id, t.owner.principal_id);
    }
    t.clock.advance(lifetime);
    let ended = t.service.session(session.id, Some(lifetime)).await;
    assert_eq!(failure(ended), AuthFailure::Expired);
}

#[tokio::test]
async fn a_session_that_does_not_slide_ends_and_a_closed_one_is_gone() {
    let t = TestService::start().await;
    let lifetime = SignedDuration::from_mins(60);
    let session = t.service.open_session(&t.owner, lifetime).await.unwrap();
    t.clock.advance(SignedDuration::from_mins(59));
    t.service.session(session.id, None).await.unwrap();
    t.service.close_session(session.id).await.unwrap();
    assert_eq!(
        failure(t.service.session(session.id, None).await),
        AuthFailure::Invalid
    );
    t.service.close_session(session.id).await.unwrap();
}

#[tokio::test]
async fn a_name_is_given_once_in_a_tenant_and_again_in_another() {
    let t = TestService::start().await;
    let password = Secret::new("long enough");
    let create = async |caller, name| {
        t.service
            .create_principal(caller, name, Role::Viewer, &password)
            .await
    };
    create(&t.owner, "eve").await.unwrap();
    assert_eq!(
        create(&t.owner, "eve").await.unwrap_err().code(),
        "duplicate_name"
    );
    let (_, other) = t.another_tenant("tenant-2").await;
    create(&other, "eve").await.unwrap();
    assert_eq!(
        t.service
            .create_tenant("tenant-2", "x")
            .await
            .unwrap_err()
            .code(),
        "duplicate_name"
    );
}
