//! What all recipients of a delivery share while it is being sent: template, identity, signature.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use posthaste_compose::dkim::Signer;
use posthaste_compose::list_headers::Unsubscribe;
use posthaste_compose::{Attributes, Identity, Mailbox, Template};
use posthaste_core::address::Address;
use posthaste_core::ids::{DeliveryId, LogId};
use posthaste_core::retry::RetryPolicy;
use posthaste_core::time::Timestamp;
use posthaste_mail::token::{Purpose, Secret, return_path};
use posthaste_store::rows::ClaimedRecipient;
use posthaste_store::{Store, StoreError};

use crate::content::content_of;
use crate::spec::Spec;

/// The instance's secret, its signing keys and its unsubscription endpoint.
#[derive(Debug)]
pub struct Identities {
    /// Signs tokens.
    pub secret: Secret,
    /// Signing keys by From domain (A-label form); each signs once.
    pub signers: HashMap<String, Vec<Arc<Signer>>>,
    /// Where one-click unsubscriptions go.
    pub unsubscribe_endpoint: Option<String>,
}

/// See the module.
#[derive(Debug)]
pub struct Context {
    /// End of validity.
    pub valid_until: Timestamp,
    /// When failed recipients are tried again.
    pub retries: Arc<RetryPolicy>,
    /// Recipients in quarantine are not sent to.
    pub excludes_quarantined: bool,
    /// Recipients on the denylist are not sent to.
    pub excludes_denylisted: bool,
    /// Quit before DATA.
    pub test_smtp: bool,
    composer: Composer,
}

/// Makes the messages of one delivery.
#[derive(Debug)]
pub struct Composer {
    template: Template,
    secret: Secret,
    domain: String,
    date: Timestamp,
    error_address: Address,
    unsubscribe: Unsubscribe,
    signers: Vec<Arc<Signer>>,
}

/// A message ready for its connection.
#[derive(Debug)]
pub struct Composed {
    /// The return path.
    pub from: String,
    /// Headers and body, with CRLF line ends.
    pub bytes: Vec<u8>,
}

impl Context {
    /// Reads what a delivery froze.
    ///
    /// # Errors
    /// Those of the store; [`StoreError::Corrupt`] when the frozen delivery cannot be used, which
    /// preparation rules out.
    pub fn load(
        store: &dyn Store,
        identities: &Identities,
        id: DeliveryId,
    ) -> Result<Self, StoreError> {
        let missing = || StoreError::NotFound {
            what: format!("delivery {id}"),
        };
        let delivery = store.delivery(id)?.ok_or_else(missing)?;
        let spec: Spec = serde_json::from_str(&delivery.spec)
            .map_err(|error| unusable(id, &error.to_string()))?;
        let date = delivery.started.unwrap_or(delivery.created);
        let composer =
            Composer::new(store, identities, &spec, date).map_err(|why| unusable(id, &why))?;
        Ok(Self {
            valid_until: delivery
                .valid_until
                .unwrap_or_else(|| date.plus(spec.validity)),
            retries: Arc::new(spec.retries),
            excludes_quarantined: spec.exclusions.quarantined,
            excludes_denylisted: spec.exclusions.denylisted,
            test_smtp: spec.test_smtp,
            composer,
        })
    }

    /// The message of one recipient, signed.
    ///
    /// # Errors
    /// Why it cannot be made, as a sentence; preparation has ruled this out for frozen content.
    pub fn compose(&self, recipient: &ClaimedRecipient) -> Result<Composed, String> {
        self.composer
            .compose(recipient.log, &recipient.address, &recipient.attributes)
    }

    /// The shortest wait before a retry; `None` when nothing is retried.
    #[must_use]
    pub fn shortest_wait(&self) -> Option<Duration> {
        self.retries.waits.iter().min().copied()
    }

    /// Whether composing takes long enough to be kept off the threads that serve connections.
    #[must_use]
    pub fn signs(&self) -> bool {
        !self.composer.signers.is_empty()
    }
}

fn unusable(id: DeliveryId, why: &str) -> StoreError {
    StoreError::Corrupt {
        what: format!("delivery {id}"),
        why: why.to_owned(),
    }
}

impl Composer {
    /// What composes the messages of this delivery; `date` becomes their Date.
    ///
    /// # Errors
    /// A sentence that says what of the delivery cannot be used.
    pub fn new(
        store: &dyn Store,
        identities: &Identities,
        spec: &Spec,
        date: Timestamp,
    ) -> Result<Self, String> {
        let content = content_of(spec, store).map_err(|error| error.to_string())?;
        let template = Template::compile(&content).map_err(|error| error.to_string())?;
        let from = Mailbox::parse(&spec.from).map_err(|error| format!("from: {error}"))?;
        let domain = from.address.domain().to_owned();
        let error_address = Address::parse(&spec.error_address)
            .map_err(|error| format!("error address {}: {error}", spec.error_address))?;
        let unsubscribe =
            Unsubscribe::new(&error_address, identities.unsubscribe_endpoint.as_deref())
                .map_err(|error| error.to_string())?;
        let signers = identities.signers.get(&domain).cloned().unwrap_or_default();
        let secret = identities.secret.clone();
        Ok(Self {
            template,
            secret,
            domain,
            date,
            error_address,
            unsubscribe,
            signers,
        })
    }

    /// The message of one recipient, signed.
    ///
    /// # Errors
    /// Why it cannot be made, as a sentence.
    pub fn compose(&self, log: LogId, address: &str, attributes: &str) -> Result<Composed, String> {
        let address = Address::parse(address).map_err(|error| format!("{address}: {error}"))?;
        let attributes =
            Attributes::parse(&address, attributes).map_err(|error| error.to_string())?;
        let identity = Identity::new(&self.secret, log, &self.domain, self.date).unsubscribed_by(
            &self.unsubscribe,
            &self.secret,
            log,
        );
        let message = self
            .template
            .message(&identity, &attributes)
            .map_err(|error| error.to_string())?;
        let bytes = self.signed(message)?;
        let token = self.secret.token(Purpose::Delivery, log);
        Ok(Composed {
            from: return_path(&self.error_address, &token),
            bytes,
        })
    }

    /// The message with one DKIM-Signature of each key before it.
    fn signed(&self, message: Vec<u8>) -> Result<Vec<u8>, String> {
        if self.signers.is_empty() {
            return Ok(message);
        }
        let mut signed = Vec::with_capacity(message.len() + 1024 * self.signers.len());
        for signer in &self.signers {
            let header = signer
                .sign(&message, self.date)
                .map_err(|error| error.to_string())?;
            signed.extend_from_slice(header.as_bytes());
        }
        signed.extend_from_slice(&message);
        Ok(signed)
    }
}
