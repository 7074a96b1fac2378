package stanza

import "runtime/debug"

// nsVersion is Software Version (XEP-0092).
const nsVersion = "jabber:iq:version"

// encodeVersion names this software; the operating system is not disclosed.
func encodeVersion() ([]byte, error) {
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		version = info.Main.Version
	}
	var w writer
	w.Raw("<query xmlns='" + nsVersion + "'><name>Perch</name>")
	w.Element("/version", "version", version)
	w.Raw("</query>")
	return w.Result()
}
