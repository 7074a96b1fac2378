// Package messenger is an embedded XMPP service that behaves like the Messenger service
// of 2011 to 2013 (messenger.live.com): a real client-to-server server on a TCP socket.
// The demo runs on it, tests run against it, and it can serve other XMPP clients alone.
// It shares no code with package xmppconn, so that the two cannot share a mistake.
//
// # What the sources say
//
// Rows M1 to M17 of docs/messenger.md: STARTTLS only; see-other-host; the one SASL
// mechanism X-MESSENGER-OAUTH2, whose text is the access token as it is; JIDs assigned by
// the service; a roster that can only grow; chat messages only; no presence probes;
// vCards that can be fetched, of contacts; an archive of the last ten messages; nicknames
// in subscription requests; delayed delivery; chat states; jidlookup in two namespaces;
// IQ answers from the domain; idle streams dropped; tokens of about 1 kB that live
// 3600 seconds.
//
// # What they leave open, and what is chosen here
//
//   - M2: <starttls/> carries <required/>, and nothing else is offered before TLS.
//   - M3: the stage, the targets and how often: Options.Redirect. Default: never.
//   - M4: unknown, expired and revoked tokens are all not-authorized; three tries a stream.
//   - M5: the identifier of an account without one is made from its user id. The wanted
//     resource is ignored and a random one bound; Options.KeepResource binds the wanted
//     one, and then an older stream with it ends with conflict.
//   - M6: refused roster sets are not-allowed, and so are unsubscribe and unsubscribed for a
//     subscription that exists. An own unanswered request can be taken back. A contact that
//     came by its accepted invitation can be added, and so named, once. An address outside
//     of the service is taken into the roster and never answers.
//   - M7: other message types are feature-not-implemented. Any account can be written to,
//     contact or not. To a bare JID: the resources of the highest priority.
//   - M8: probes and directed presence are feature-not-implemented.
//   - M9: a contact has a vCard once one of the two subscriptions exists; of all others,
//     as of unknown accounts, it is item-not-found. vCard fields: FN, N, NICKNAME, EMAIL, TEL, ORG,
//     TITLE, BDAY, URL, DESC, PHOTO with TYPE and BINVAL, or with EXTVAL.
//   - M10: retrieve alone, not list. Recorded when one of the two keeps history while the
//     message is sent, answered when one of the two keeps it while asked. The empty
//     answer is an IQ result without a payload. secs counts from the message before;
//     programs of the time differed about that, and Options.ArchiveUTC writes utc instead.
//   - M11: a request without a nickname gets the account's own. Requests are repeated at
//     every login until they are answered.
//   - M12: at most 100 messages with a body are stored, in memory, and delivered to the first
//     resource that comes online with a priority of zero or more. Beyond that the sender
//     gets service-unavailable.
//   - M14: a known account id need not belong to a contact.
//   - M16: the stream ends with connection-timeout. Only stanzas reset that timeout.
//   - M17: a stream outlives its token, or with Options.CloseOnExpiry ends with
//     not-authorized.
//   - IQs between clients are not relayed: everything unknown is service-unavailable.
//   - Rate limits of the historical service are not known, and there are none here; sizes,
//     queues and connections are bounded (RFC 6120, 13.12).
//
// # Concurrency
//
// A connection has one goroutine that reads it, and a second one only while something is
// being written. Stanzas are routed under one lock, which is never held for I/O: routing
// ends in the bounded queues of the receivers, and a receiver that does not read is cut.
// Bots and everything else that happens later run on one goroutine. Stop waits for all.
package messenger
