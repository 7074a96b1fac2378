// Package stanza is the codec: what the payloads of messages, presences and IQs say, and how
// they are written, a file for each. It has no connection. What a connection must check (who may
// answer, which query is open) is in the results.
//
// [Decode] reads messages and presences from trees that are lent, so every text of the result is
// a copy; answers to requests are read from trees that may be kept, and are copied too, because
// each text of such a tree holds the whole stanza. [AppendOutbound] and the Encode functions
// escape every text. A text that XML cannot carry is an error of KindValidation with the pointer
// of its field.
package stanza
