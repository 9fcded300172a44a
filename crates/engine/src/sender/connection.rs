//! One connection of a site: opens a session, sends one message after the other, closes.
//!
//! It asks its site for work, composes the message when the session is ready for it, and hands the
//! outcome to the recorder. What reached nobody goes back to the site unsent.

use std::sync::Arc;
use std::time::Instant;

use posthaste_core::address::Address;
use posthaste_core::evidence::{Evidence, Outcome, Stage};
use posthaste_core::time::Timestamp;
use posthaste_net::plan::{Host, Plan};
use posthaste_net::tls::TlsPolicy;
use posthaste_smtp::client::{Envelope, Reach, Session, SessionFailure, Still, Target};
use tokio::sync::mpsc;

use super::{Crew, Job};
use crate::recorder::{Entry, Fact, Permit};

/// Names a connection within its site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ConnectionId(pub(crate) u32);

/// What a connection tells its site.
#[derive(Debug)]
pub(crate) enum ConnectionEvent {
    /// It can take a message.
    Ready,
    /// The site answered about a message.
    Answered,
    /// The site asked for less.
    Throttled,
    /// Nothing was said about this recipient: it waits for another connection.
    Unsent(Job),
    /// It has ended.
    Closed,
    /// It has ended before it was open: no host could be talked to.
    Unreachable(Box<Evidence>),
}

type Report = mpsc::UnboundedSender<(ConnectionId, ConnectionEvent)>;

/// The site's end of a connection.
pub(crate) struct Connection {
    jobs: mpsc::Sender<Job>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Opening,
    Idle,
    Busy,
}

impl Connection {
    /// Starts a connection to one of the hosts of `plan`.
    pub(crate) fn open(
        id: ConnectionId,
        plan: Arc<Plan>,
        most_messages: u32,
        crew: &Arc<Crew>,
        report: Report,
    ) -> Self {
        let (jobs, inbox) = mpsc::channel(1);
        let work = Work {
            id,
            plan,
            left: most_messages,
            crew: Arc::clone(crew),
            report,
            inbox,
        };
        crew.tasks.spawn(work.run());
        Self {
            jobs,
            state: State::Opening,
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.state == State::Idle
    }

    pub(crate) fn is_opening(&self) -> bool {
        self.state == State::Opening
    }

    pub(crate) const fn now_idle(&mut self) {
        self.state = State::Idle;
    }

    /// Gives it a recipient; gives it back when the connection has just ended.
    pub(crate) fn give(&mut self, job: Job) -> Result<(), Job> {
        self.state = State::Busy;
        self.jobs.try_send(job).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(job) | mpsc::error::TrySendError::Closed(job) => job,
        })
    }
}

/// The task's end.
struct Work {
    id: ConnectionId,
    plan: Arc<Plan>,
    left: u32,
    crew: Arc<Crew>,
    report: Report,
    inbox: mpsc::Receiver<Job>,
}

/// Whether the session goes on after a message.
enum Next {
    Again,
    Close,
}

impl Work {
    async fn run(mut self) {
        let crew = Arc::clone(&self.crew);
        // Bounds the connections of all sites; never closed.
        let _place = crew.connections.acquire().await;
        match self.connect().await {
            Ok(mut session) => {
                self.serve(&mut session).await;
                self.inbox.close();
                while let Some(job) = self.inbox.recv().await {
                    self.tell(ConnectionEvent::Unsent(job));
                }
                self.tell(ConnectionEvent::Closed);
                session.quit().await;
            }
            Err(evidence) => self.tell(ConnectionEvent::Unreachable(Box::new(evidence))),
        }
    }

    fn tell(&self, event: ConnectionEvent) {
        // The site outlives its connections, except when everything ends.
        drop(self.report.send((self.id, event)));
    }

    fn now(&self) -> Timestamp {
        self.crew.clock.now()
    }

    /// Tries host after host, address after address; the last failure is what is reported.
    async fn connect(&self) -> Result<Session, Evidence> {
        let mut last = None;
        for host in self.plan.in_order(u64::from(self.id.0)) {
            for address in &host.addresses {
                match self.connect_to(host, *address, self.plan.tls).await {
                    Ok(session) => return Ok(session),
                    Err(failure) => {
                        let whole_site = failure.reach == Reach::Ourselves;
                        last = Some(failure.evidence);
                        if whole_site {
                            break;
                        }
                    }
                }
            }
        }
        Err(last.unwrap_or_else(|| {
            Evidence::ours(Stage::Connect, "no address to connect to", self.now())
        }))
    }

    async fn connect_to(
        &self,
        host: &Host,
        address: std::net::SocketAddr,
        tls: TlsPolicy,
    ) -> Result<Session, SessionFailure> {
        let target = Target {
            host: host.name.clone(),
            address,
            tls,
            auth: self.plan.auth.clone(),
        };
        match Session::connect(&target, &self.crew.settings.client, self.now()).await {
            Err(failure) if failure.clear_text_retry => {
                tracing::info!(host = %target.host, "TLS failed; one attempt in clear text");
                Session::connect(
                    &target.in_clear_text(),
                    &self.crew.settings.client,
                    self.now(),
                )
                .await
            }
            other => other,
        }
    }

    /// Sends until there is no work, the session ends, or the services end.
    async fn serve(&mut self, session: &mut Session) {
        self.tell(ConnectionEvent::Ready);
        let mut fresh = true;
        while self.left > 0 {
            let idle = self.crew.settings.idle;
            let job = tokio::select! {
                job = self.inbox.recv() => job,
                () = self.crew.linger(idle) => None,
            };
            let Some(job) = job else { return };
            self.left -= 1;
            match self.handle(session, job, fresh).await {
                Next::Again => self.tell(ConnectionEvent::Ready),
                Next::Close => return,
            }
            fresh = false;
        }
    }

    async fn handle(&self, session: &mut Session, job: Job, fresh: bool) -> Next {
        if !self.crew.is_sending(job.delivery()) {
            self.crew.give_back(vec![job], None);
            return Next::Again;
        }
        // From before the first byte until the outcome is on disk.
        let Ok(permit) = self.crew.recorder.permit().await else {
            self.crew.give_back(vec![job], None);
            return Next::Close;
        };
        let began = Instant::now();
        let (job, composed) = self.compose(job).await;
        let composed = match composed {
            Ok(composed) => composed,
            Err(why) => {
                let evidence = Evidence::ours(Stage::Compose, why, self.now());
                self.hand_in(job, Outcome::Refused(evidence), "", began, permit)
                    .await;
                return Next::Again;
            }
        };
        let sent = self.transmit(session, &job, &composed).await;
        let next = if sent.still_open {
            Next::Again
        } else {
            Next::Close
        };
        let outcome = sent.outcome;
        if sent.stale && !fresh && !job.was_lost {
            self.tell(ConnectionEvent::Unsent(job.lost()));
            return Next::Close;
        }
        self.tell(match outcome.evidence().code {
            Some(421) => ConnectionEvent::Throttled,
            _ => ConnectionEvent::Answered,
        });
        let tls = session.tls().to_owned();
        self.hand_in(job, outcome, &tls, began, permit).await;
        next
    }

    async fn transmit(
        &self,
        session: &mut Session,
        job: &Job,
        composed: &super::context::Composed,
    ) -> OneSent {
        let recipient = envelope_of(&job.recipient.address);
        let recipients = [recipient.as_str()];
        let envelope = Envelope {
            from: &composed.from,
            recipients: &recipients,
            smtputf8: !recipient.is_ascii(),
            size: composed.bytes.len(),
        };
        let now = self.now();
        let sent = if job.context.test_smtp {
            session.test(&envelope, now).await
        } else {
            session.send(&envelope, &composed.bytes, now).await
        };
        let outcome = sent.outcomes.into_iter().next().unwrap_or_else(|| {
            Outcome::Deferred(Evidence::ours(
                Stage::Rcpt,
                "the session gave no outcome",
                now,
            ))
        });
        OneSent {
            outcome,
            still_open: sent.session == Still::Open,
            stale: sent.stale,
        }
    }

    /// Composes a message; on a thread of its own when it is signed, as many at once as the machine has
    /// cores: more would only hold memory.
    async fn compose(&self, job: Job) -> (Job, Result<super::context::Composed, String>) {
        if !job.context.signs() {
            let composed = job.context.compose(&job.recipient);
            return (job, composed);
        }
        let _turn = self.crew.signing.acquire().await;
        let context = Arc::clone(&job.context);
        let recipient = job.recipient.clone();
        let made = tokio::task::spawn_blocking(move || context.compose(&recipient)).await;
        let composed = made.unwrap_or_else(|crash| Err(format!("composing stopped: {crash}")));
        (job, composed)
    }

    async fn hand_in(&self, job: Job, outcome: Outcome, tls: &str, began: Instant, permit: Permit) {
        let took_ms = u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX);
        let fact = Fact::Attempted {
            outcome,
            site_blocked: false,
            tls: tls.to_owned(),
            took_ms,
        };
        let entry = Entry {
            subject: job.subject(),
            fact,
            permit: Some(permit),
        };
        // The recorder stops only on trouble with the store, which ends the services: the
        // recipient then still waits in the store and is sent to again by the next start.
        drop(self.crew.recorder.hand_in(entry).await);
    }
}

/// What became of the one recipient.
struct OneSent {
    outcome: Outcome,
    still_open: bool,
    stale: bool,
}

/// The address as it goes into RCPT.
fn envelope_of(address: &str) -> String {
    Address::parse(address).map_or_else(|_| address.to_owned(), |address| address.envelope())
}
