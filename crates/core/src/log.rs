//! Status of a delivery log row: what became of one recipient of one delivery.

use crate::failure::coded;

coded! {
    /// Status of a delivery log row. Numbers 2, 6 and 7 are documented, the others settled.
    LogStatus {
        /// Sending was rejected before any attempt: the recipient is excluded.
        Ignored = 0, "ignored";
        /// Handed over, and no later bounce known.
        Sent = 1, "sent";
        /// Could not be delivered; type and reason say why.
        Failed = 2, "failed";
        /// The provider took it into account; no final result yet.
        TakenIntoAccount = 3, "taken_into_account";
        /// The provider confirmed reception on the phone.
        ReceivedOnMobile = 4, "received_on_mobile";
        /// Prepared by an external connector.
        Prepared = 5, "prepared";
        /// Waiting for its turn, or for its next attempt.
        Pending = 6, "pending";
        /// The delivery was stopped or expired before this recipient was tried.
        Cancelled = 7, "cancelled";
    }
}

coded! {
    /// Status of an address in the quarantine list.
    AddressStatus {
        /// Had soft errors; still targeted.
        WithErrors = 1, "with_errors";
        /// In order; the row goes with the next database cleanup.
        Valid = 2, "valid";
        /// Excluded from deliveries.
        Quarantine = 3, "quarantine";
        /// Excluded from deliveries: complaint, or imported from an external list.
        Denylist = 4, "denylist";
        /// Always targeted; its errors are ignored.
        Allowlist = 5, "allowlist";
    }
}

coded! {
    /// Status of an entry of the delivery log qualification.
    QualificationStatus {
        /// Nobody has said what it means.
        ToQualify = 0, "to_qualify";
        /// Qualified: by a rule or by a person.
        Keep = 1, "keep";
        /// Never moves an address.
        Ignore = 2, "ignore";
    }
}

coded! {
    /// A way to reach a recipient.
    Channel {
        /// Electronic mail.
        Email = 0, "email";
        /// Text message.
        Sms = 1, "sms";
        /// Notification to a device.
        Push = 40, "push";
    }
}
