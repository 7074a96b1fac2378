-- Prosody 0.12 behind Perch: clients only, TLS always, streams that can be resumed
-- (XEP-0198) and an archive (XEP-0313). start.sh gives the ENV_ values.
daemonize = false
pidfile = ENV_PROSODY_DATA.."/prosody.pid"
data_path = ENV_PROSODY_DATA
interfaces = { ENV_PROSODY_LISTEN }
c2s_ports = { ENV_PROSODY_PORT }
s2s_ports = { }
http_ports = { }
https_ports = { }
log = { { levels = { min = "info" }, to = "console", timestamps = true } }

modules_enabled = {
	"disco"; "roster"; "saslauth"; "tls"; "limits"; "ping"; "time"; "version"; "blocklist"; "offline";
	"smacks"; "mam"; "carbons"; "csi_simple"; "pep"; "vcard4"; "vcard_legacy"; "private";
}
modules_disabled = { "s2s" }

c2s_require_encryption = true
certificates = ENV_PROSODY_DATA.."/tls"
ssl = { certificate = ENV_PROSODY_DATA.."/tls/leaf.pem"; key = ENV_PROSODY_DATA.."/tls/leaf.key"; }
authentication = "internal_hashed"
password_hash = "SHA-256"
storage = "internal"

-- A node that was killed is missed for the lease of its sessions (15 s) before another one
-- resumes their streams: this has to be longer, and ten minutes let an upgrade go wrong.
smacks_hibernation_time = 600
smacks_max_queue_size = 1000
archive_expires_after = "1w"
default_archive_policy = true
-- One gateway is many users behind one address; the default of 10 kB/s is for a person.
limits = { c2s = { rate = "1mb/s"; burst = "2s"; } }

VirtualHost(ENV_PROSODY_DOMAIN)

-- Rooms (XEP-0045) with an archive of their own (XEP-0313). start.sh makes the first one.
Component("rooms."..ENV_PROSODY_DOMAIN) "muc"
	modules_enabled = { "muc_mam" }
	muc_room_default_persistent = true
	muc_room_default_public = true
	muc_log_by_default = true
	muc_log_expires_after = "1w"
