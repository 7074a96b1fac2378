package main

import (
	"bytes"
	"maps"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"

	"github.com/perch-im/perch/app"
)

// composeKeys are what .env has to have.
var composeKeys = map[string]string{
	"PERCH_SECRET": strings.Repeat("0f", 32), "PERCH_SECRET_KEY": strings.Repeat("1e", 32), "REDIS_PASSWORD": strings.Repeat("2d", 32),
}

// compose reads docker-compose.yml as docker compose does, against the specification.
func compose(t *testing.T, env map[string]string) (*types.Project, error) {
	t.Helper()
	file, err := filepath.Abs("../../docker-compose.yml")
	if err != nil {
		t.Fatalf("filepath.Abs: got error %v, want none", err)
	}
	return loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir: filepath.Dir(file), ConfigFiles: []types.ConfigFile{{Filename: file}}, Environment: env,
	}, func(o *loader.Options) { o.SetProjectName("perch", true) })
}

func composed(t *testing.T) *types.Project {
	t.Helper()
	p, err := compose(t, composeKeys)
	if err != nil {
		t.Fatalf("compose: got error %v, want none", err)
	}
	return p
}

func TestComposeNeedsItsKeys(t *testing.T) {
	for name := range composeKeys {
		env := maps.Clone(composeKeys)
		delete(env, name)
		if _, err := compose(t, env); err == nil || !strings.Contains(err.Error(), name+" is missing a value: make one with openssl") {
			t.Errorf("without %s: %v, want an error and %q in it", name, err, name+" is missing a value: make one with openssl")
		}
	}
}

// gateways are the services that run this program, in order.
func gateways(t *testing.T, p *types.Project) []types.ServiceConfig {
	t.Helper()
	var found []types.ServiceConfig
	for _, name := range p.ServiceNames() {
		if strings.HasPrefix(name, "gateway-") {
			found = append(found, p.Services[name])
		}
	}
	if len(found) < 2 {
		t.Fatalf("only %d gateways: this test looks in the wrong place, want at least 2", len(found))
	}
	return found
}

// serves is what the program makes of a service's environment and command.
func serves(t *testing.T, s types.ServiceConfig) app.Options {
	t.Helper()
	var c commandLine
	parser, err := newParser(&c, &bytes.Buffer{}, &bytes.Buffer{})
	if err != nil {
		t.Fatalf("newParser: got error %v, want none", err)
	}
	var environ []string
	for k, v := range s.Environment {
		t.Setenv(k, *v)
		environ = append(environ, k+"="+*v)
	}
	if err := refuseUnknownEnvironment(parser.Model, environ); err != nil {
		t.Errorf("%s: got error %v, want none", s.Name, err)
	}
	o, err := parse(t, s.Command...)
	if err != nil {
		t.Fatalf("%s: got error %v, want none", s.Name, err)
	}
	return o
}

// TestComposeSettings: what the file sets exists and fits the services that it names, and
// the nodes differ in nothing but what makes them nodes.
func TestComposeSettings(t *testing.T) {
	p := composed(t)
	first := gateways(t, p)[0]
	for _, s := range gateways(t, p) {
		o := serves(t, s)
		if o.Node != s.Name || o.NodeURL != "http://"+s.Name+":8080" || o.Listen != "0.0.0.0:8080" || o.AdminListen == "off" {
			t.Errorf("%s: node %q at %q, listens on %q and %q, want %q and %q and %q and anything but %q", s.Name, o.Node, o.NodeURL, o.Listen, o.AdminListen, s.Name, "http://"+s.Name+":8080", "0.0.0.0:8080", "off")
		}
		if len(o.Secret) != 64 || len(o.SealKeys) != 1 {
			t.Errorf("%s: the keys of .env do not arrive, want 64 and 1", s.Name)
		}
		for what, host := range map[string]string{"upstream": o.Upstreams[0].Address, "redis": hostOf(t, o.RedisURL)} {
			service, port, _ := strings.Cut(host, ":")
			if _, ok := p.Services[service]; !ok || port == "" {
				t.Errorf("%s: %s at %q, want a service and a port", s.Name, what, host)
			}
		}
		for k, v := range s.Environment {
			if k != "PERCH_NODE" && k != "PERCH_NODE_URL" && *first.Environment[k] != *v {
				t.Errorf("%s has %s=%s, and %s has %s, want them equal", s.Name, k, *v, first.Name, *first.Environment[k])
			}
		}
		if grace := time.Duration(*s.StopGracePeriod); grace < o.DrainTime+stopGrace {
			t.Errorf("%s is killed after %s; draining takes %s and closing %s, want at least %v", s.Name, grace, o.DrainTime, stopGrace, o.DrainTime+stopGrace)
		}
		testComposeCA(t, p, s, o)
		if o.Upstreams[0].Domain != *p.Services["prosody"].Environment["PROSODY_DOMAIN"] {
			t.Errorf("%s: domain %q is not the one of prosody, want %q", s.Name, o.Upstreams[0].Domain, *p.Services["prosody"].Environment["PROSODY_DOMAIN"])
		}
	}
}

// testComposeCA: the CA that a gateway reads is in a volume that prosody writes.
func testComposeCA(t *testing.T, p *types.Project, s types.ServiceConfig, o app.Options) {
	t.Helper()
	mounted := func(s types.ServiceConfig) (types.ServiceVolumeConfig, bool) {
		i := slices.IndexFunc(s.Volumes, func(v types.ServiceVolumeConfig) bool {
			return v.Target == filepath.Dir(o.Upstreams[0].CAFile)
		})
		if i < 0 {
			return types.ServiceVolumeConfig{}, false
		}
		return s.Volumes[i], true
	}
	reads, ok1 := mounted(s)
	writes, ok2 := mounted(p.Services["prosody"])
	if !ok1 || !ok2 || reads.Source != writes.Source || !reads.ReadOnly || writes.ReadOnly || reads.Volume == nil || !reads.Volume.NoCopy {
		t.Errorf("%s reads %s from %+v, prosody writes to %+v, want the volume %v of both: read-only, without a copy, and written by prosody", s.Name, o.Upstreams[0].CAFile, reads, writes, writes.Source)
	}
}

func hostOf(t *testing.T, raw string) string {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatalf("url.Parse: got error %v, want none", err)
	}
	return u.Host
}

// TestComposeIsPrivate: one port is published, to this machine, and nothing but the
// balancer is believed about where a request comes from.
func TestComposeIsPrivate(t *testing.T) {
	p := composed(t)
	for name, s := range p.Services {
		for _, port := range s.Ports {
			if name != "nginx" || port.HostIP != "127.0.0.1" || port.Published != "8080" || port.Target != 8080 {
				t.Errorf("%s publishes %+v, want %q and %q and %q and 8080", name, port, "nginx", "127.0.0.1", "8080")
			}
		}
	}
	if len(p.Services["nginx"].Ports) != 1 {
		t.Errorf("nginx publishes not one port: got %v, want 1", len(p.Services["nginx"].Ports))
	}
	taken := map[string]string{}
	ipam := p.Networks["default"].Ipam.Config[0]
	subnet, dynamic := netip.MustParsePrefix(ipam.Subnet), netip.MustParsePrefix(ipam.IPRange)
	for name, s := range p.Services {
		if s.Networks["default"] == nil {
			continue
		}
		addr := s.Networks["default"].Ipv4Address
		if a, err := netip.ParseAddr(addr); err != nil || !subnet.Contains(a) || dynamic.Contains(a) || taken[addr] != "" {
			t.Errorf("%s has the address %q of %s, besides %s; %q has it too, want one in the subnet, outside of the dynamic range and of no other", name, addr, subnet, dynamic, taken[addr])
		}
		taken[addr] = name
	}
	for _, s := range gateways(t, p) {
		if o := serves(t, s); len(o.TrustedProxies) != 1 || taken[o.TrustedProxies[0].Addr().String()] != "nginx" || !o.TrustedProxies[0].IsSingleIP() {
			t.Errorf("%s trusts %v, want 1 and %q and IsSingleIP true", s.Name, o.TrustedProxies, "nginx")
		}
	}
}

// TestComposeHealth: a service that waits for another one to be healthy waits for one with a
// health check, and that of the gateways is the program's own.
func TestComposeHealth(t *testing.T) {
	p := composed(t)
	healthcheck := func(s types.ServiceConfig) string {
		if s.HealthCheck != nil {
			return strings.Join(s.HealthCheck.Test, " ")
		}
		if s.Build == nil {
			return ""
		}
		file, err := os.ReadFile(filepath.Join(s.Build.Context, s.Build.Dockerfile))
		if err != nil {
			t.Fatalf("os.ReadFile: got error %v, want none", err)
		}
		return string(regexp.MustCompile(`(?m)^HEALTHCHECK .*`).Find(file))
	}
	waits := 0
	for name, s := range p.Services {
		for other, d := range s.DependsOn {
			waits++
			if d.Condition != types.ServiceConditionHealthy || healthcheck(p.Services[other]) == "" {
				t.Errorf("%s waits for %s to be %s, whose health check is %q, want %q and some text", name, other, d.Condition, healthcheck(p.Services[other]), types.ServiceConditionHealthy)
			}
		}
	}
	for _, s := range gateways(t, p) {
		if look := healthcheck(s); !strings.HasSuffix(look, `CMD ["/perch", "health"]`) {
			t.Errorf("%s: health check %q, want %q at its end", s.Name, look, `CMD ["/perch", "health"]`)
		}
		if s.DependsOn["redis"].Condition == "" || s.DependsOn["prosody"].Condition == "" || p.Services["nginx"].DependsOn[s.Name].Condition == "" {
			t.Errorf("%s and nginx wait for too little, want some text", s.Name)
		}
	}
	if waits < 6 {
		t.Errorf("only %d dependencies: this test looks in the wrong place, want at least 6", waits)
	}
}

// TestComposeBalances: nginx has the configuration of this repository, and that has every
// gateway and nothing else.
func TestComposeBalances(t *testing.T) {
	p := composed(t)
	v := p.Services["nginx"].Volumes[0]
	conf, err := os.ReadFile(v.Source)
	if err != nil {
		t.Fatalf("os.ReadFile: got error %v, want none", err)
	}
	if v.Type != types.VolumeTypeBind || v.Target != "/etc/nginx/nginx.conf" || !v.ReadOnly || !strings.HasSuffix(v.Source, "/deploy/nginx.conf") {
		t.Errorf("nginx is configured by %+v, want %v and %q and ReadOnly true and %q at its end", v, types.VolumeTypeBind, "/etc/nginx/nginx.conf", "/deploy/nginx.conf")
	}
	var got, want []string
	for _, m := range regexp.MustCompile(`(?m)^\s*server ([\w.-]+:\d+)`).FindAllStringSubmatch(string(conf), -1) {
		got = append(got, m[1])
	}
	for _, s := range gateways(t, p) {
		want = append(want, s.Name+":8080")
	}
	if !slices.Equal(got, want) {
		t.Errorf("nginx balances %q, there are %q, want them equal", got, want)
	}
	if !regexp.MustCompile(`(?m)^\s*listen 8080;`).Match(conf) {
		t.Error("nginx does not listen on the port that is published, want listen 8080")
	}
}

// TestComposeImagesArePinned: what runs changes with this file alone.
func TestComposeImagesArePinned(t *testing.T) {
	for name, s := range composed(t).Services {
		if s.Build != nil {
			continue
		}
		if !regexp.MustCompile(`^[a-z]+:[0-9]+\.[0-9]+\.[0-9]+(-[a-z0-9.]+)?$`).MatchString(s.Image) {
			t.Errorf("%s runs %s, want a version of three numbers", name, s.Image)
		}
	}
}

// TestComposeLogsAreRotated: no service fills the disk with what it logs.
func TestComposeLogsAreRotated(t *testing.T) {
	for name, s := range composed(t).Services {
		if s.Logging == nil || s.Logging.Driver != "json-file" || s.Logging.Options["max-size"] == "" || s.Logging.Options["max-file"] == "" {
			t.Errorf("%s logs by %+v, want json-file with max-size and max-file", name, s.Logging)
		}
	}
}

// TestComposeRedis: Redis keeps what it is given, and says no when it is full.
func TestComposeRedis(t *testing.T) {
	s := composed(t).Services["redis"]
	if !strings.HasPrefix(s.Image, "redis:7") || !strings.Contains(strings.Join(s.Command, " "), "--maxmemory-policy noeviction --appendonly yes") {
		t.Errorf("%s runs %q, want %q at its beginning and %q in it", s.Image, s.Command, "redis:7", "--maxmemory-policy noeviction --appendonly yes")
	}
	password := composeKeys["REDIS_PASSWORD"]
	if i := slices.Index(s.Command, "--requirepass"); i < 0 || i+1 >= len(s.Command) || s.Command[i+1] != password {
		t.Errorf("redis asks for no password: %q, want at least 0 and less than %v and %q", s.Command, len(s.Command), password)
	}
	if auth := s.Environment["REDISCLI_AUTH"]; auth == nil || *auth != password {
		t.Errorf("the health check of redis does not sign in, want one and %v", password)
	}
	for _, g := range gateways(t, composed(t)) {
		if u, err := url.Parse(serves(t, g).RedisURL); err != nil || u.User == nil {
			t.Errorf("%s has no password for redis: %v, want no error and one", g.Name, err)
		} else if got, _ := u.User.Password(); got != password {
			t.Errorf("%s has another password for redis: got %v, want %v", g.Name, got, password)
		}
	}
	if len(s.Volumes) != 1 || s.Volumes[0].Target != "/data" || s.Volumes[0].Type != types.VolumeTypeVolume {
		t.Errorf("redis keeps its data in %+v, want 1 and %q and %v", s.Volumes, "/data", types.VolumeTypeVolume)
	}
}
