//! One task per site: owns its queue, its window and its connections, and lives while it has work.
//!
//! Recipients come in as orders; a connection asks for one at a time. What the site cannot take
//! now goes back to the sender, who gives it back to the store.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use posthaste_core::evidence::{Evidence, Outcome};
use posthaste_core::shaping::Window;
use posthaste_core::time::Timestamp;
use posthaste_net::site::SiteKey;
use tokio::sync::mpsc;

use super::connection::{Connection, ConnectionEvent, ConnectionId};
use super::{Crew, Job, SenderEvent};
use crate::recorder::{Entry, Fact};

/// A site without work and without open connections ends after this (real time).
const LINGER: Duration = Duration::from_secs(2);

/// What the sender tells a site.
#[derive(Debug)]
pub(crate) enum Order {
    /// Send to this recipient.
    Take(Job),
    /// Give back every waiting recipient whose delivery is no longer being sent.
    Sweep,
}

/// How the sender reaches a site.
#[derive(Debug)]
pub(crate) struct SiteHandle {
    pub(crate) orders: mpsc::UnboundedSender<Order>,
    /// Recipients that wait at the site; the sender bounds it before it gives more.
    pub(crate) waiting: Arc<AtomicUsize>,
}

/// Everything a site task owns.
pub(crate) struct Site {
    key: SiteKey,
    crew: Arc<Crew>,
    window: Window,
    queue: VecDeque<Job>,
    waiting: Arc<AtomicUsize>,
    connections: HashMap<ConnectionId, Connection>,
    next_id: u32,
    events: mpsc::UnboundedSender<(ConnectionId, ConnectionEvent)>,
}

/// Starts the task of a site.
pub(crate) fn start(key: SiteKey, crew: &Arc<Crew>, window: Window) -> SiteHandle {
    let (orders, inbox) = mpsc::unbounded_channel();
    let (events, reports) = mpsc::unbounded_channel();
    let waiting = Arc::new(AtomicUsize::new(0));
    let site = Site {
        key,
        crew: Arc::clone(crew),
        window,
        queue: VecDeque::new(),
        waiting: Arc::clone(&waiting),
        connections: HashMap::new(),
        next_id: 0,
        events,
    };
    crew.tasks.spawn(site.run(inbox, reports));
    SiteHandle { orders, waiting }
}

impl Site {
    async fn run(
        mut self,
        mut inbox: mpsc::UnboundedReceiver<Order>,
        mut reports: mpsc::UnboundedReceiver<(ConnectionId, ConnectionEvent)>,
    ) {
        loop {
            self.feed();
            let idle = self.queue.is_empty() && self.connections.is_empty();
            tokio::select! {
                order = inbox.recv() => match order {
                    Some(order) => self.on_order(order),
                    None => break,
                },
                Some((id, event)) = reports.recv() => self.on_event(id, event).await,
                () = self.crew.linger(LINGER), if idle => break,
            }
        }
        // An order may have come in between: it goes back rather than being lost.
        inbox.close();
        while let Some(order) = inbox.recv().await {
            if let Order::Take(job) = order {
                self.queue.push_back(job);
            }
        }
        self.give_back_all(None);
        self.crew.tell(SenderEvent::SiteEnded {
            site: self.key.clone(),
            window: self.window,
        });
    }

    fn on_order(&mut self, order: Order) {
        match order {
            Order::Take(job) => self.queue.push_back(job),
            Order::Sweep => {
                let (keep, back): (VecDeque<_>, VecDeque<_>) = self
                    .queue
                    .drain(..)
                    .partition(|job| self.crew.is_sending(job.delivery()));
                self.queue = keep;
                self.waiting.fetch_sub(back.len(), Ordering::Relaxed);
                self.crew.give_back(back.into(), None);
            }
        }
    }

    /// Gives work to idle connections, and opens another one when the window allows it.
    fn feed(&mut self) {
        if self.crew.closing.is_cancelled() {
            // What came in after the sweep must not open connections that close at once.
            self.give_back_all(None);
            return;
        }
        let now = self.crew.clock.now();
        let allowed = self.window.connections(now);
        if let Some(until) = self.window.resting_until(now) {
            self.give_back_all(Some(until));
        }
        while !self.queue.is_empty() {
            let Some(idle) = self.connections.values_mut().find(|c| c.is_idle()) else {
                break;
            };
            let Some(job) = self.queue.pop_front() else {
                break;
            };
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            if let Err(job) = idle.give(job) {
                // The connection has just ended and will say so; the recipient waits for another.
                self.put_back(job);
                break;
            }
        }
        let opening = self.connections.values().filter(|c| c.is_opening()).count();
        let open = u32::try_from(self.connections.len()).unwrap_or(u32::MAX);
        if self.queue.len() > opening && open < allowed {
            self.open_connection();
        }
    }

    fn open_connection(&mut self) {
        let Some(plan) = self.queue.front().map(|job| Arc::clone(&job.plan)) else {
            return;
        };
        let id = ConnectionId(self.next_id);
        self.next_id = self.next_id.wrapping_add(1);
        let most = self.window.messages_per_connection();
        let connection = Connection::open(id, plan, most, &self.crew, self.events.clone());
        self.connections.insert(id, connection);
    }

    async fn on_event(&mut self, id: ConnectionId, event: ConnectionEvent) {
        match event {
            ConnectionEvent::Ready => {
                if let Some(connection) = self.connections.get_mut(&id) {
                    connection.now_idle();
                }
            }
            ConnectionEvent::Answered => self.window.on_answer(),
            ConnectionEvent::Throttled => self.window.on_throttled(),
            ConnectionEvent::Unsent(job) => self.put_back(job),
            ConnectionEvent::Closed => {
                self.connections.remove(&id);
            }
            ConnectionEvent::Unreachable(evidence) => {
                self.connections.remove(&id);
                self.on_unreachable(*evidence).await;
            }
        }
    }

    /// No host took the connection. While others are served, the site only wants fewer; else it
    /// rests, the recipient whose turn it was is deferred, and the rest with it if this is not
    /// the first time.
    async fn on_unreachable(&mut self, evidence: Evidence) {
        if self.connections.values().any(|c| !c.is_opening()) {
            self.window.on_throttled();
            return;
        }
        let now = self.crew.clock.now();
        let trouble = self.window.on_unreachable(now, self.shortest_wait());
        if let Some(job) = self.queue.pop_front() {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            self.defer(job, &evidence, false).await;
        }
        if trouble.defer_waiting {
            while let Some(job) = self.queue.pop_front() {
                self.waiting.fetch_sub(1, Ordering::Relaxed);
                self.defer(job, &evidence, true).await;
            }
        } else {
            self.give_back_all(Some(trouble.rest_until));
        }
    }

    /// The shortest wait before a retry among those who wait here.
    fn shortest_wait(&self) -> Duration {
        let waits = self
            .queue
            .iter()
            .filter_map(|job| job.context.shortest_wait());
        waits.min().unwrap_or(Duration::MAX)
    }

    async fn defer(&self, job: Job, evidence: &Evidence, site_blocked: bool) {
        let fact = Fact::Attempted {
            outcome: Outcome::Deferred(evidence.clone()),
            site_blocked,
            tls: String::new(),
            took_ms: 0,
        };
        let entry = Entry {
            subject: job.subject(),
            fact,
            permit: None,
        };
        if self.crew.recorder.hand_in(entry).await.is_err() {
            // The recorder is gone, so the services are ending: the recipient keeps waiting in
            // the store.
            self.crew.give_back(vec![job], None);
        }
    }

    fn put_back(&mut self, job: Job) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.queue.push_front(job);
    }

    fn give_back_all(&mut self, due: Option<Timestamp>) {
        if self.queue.is_empty() {
            return;
        }
        let back: Vec<_> = self.queue.drain(..).collect();
        self.waiting.fetch_sub(back.len(), Ordering::Relaxed);
        self.crew.give_back(back, due);
    }
}
