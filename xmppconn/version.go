package xmppconn

import "runtime/debug"

// nsVersion is Software Version (XEP-0092).
const nsVersion = "jabber:iq:version"

// encodeVersion names this software; the operating system is not disclosed.
func encodeVersion() []byte {
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		version = info.Main.Version
	}
	return []byte("<query xmlns='" + nsVersion + "'><name>Perch</name><version>" + escape(version) + "</version></query>")
}
