// Package xmlstream reads and writes the XML of an XMPP stream (RFC 6120, 4 and 11), and knows
// nothing of stanzas. A [Framer] cuts the bytes into frames within [Limits]; a frame becomes a
// tree that may be kept ([Frame.Parse]), or one that lies in the framer's buffer and is lent
// ([Frame.Borrow]); a [Writer] escapes what people wrote.
package xmlstream
