package cache

import (
	_ "embed"

	"github.com/redis/go-redis/v9"
)

// Every compound step is one Lua script: Redis runs it whole or not at all, and refuses a
// lower fence itself.
var (
	//go:embed scripts/trim.lua
	trimLua string
	//go:embed scripts/relist.lua
	relistLua string
	//go:embed scripts/later.lua
	laterLua string
	//go:embed scripts/open.lua
	openLua string
	//go:embed scripts/commit.lua
	commitLua string
	//go:embed scripts/log.lua
	logLua string
	//go:embed scripts/forget.lua
	forgetLua string
	//go:embed scripts/admit.lua
	admitLua string
	//go:embed scripts/bind.lua
	bindLua string
	//go:embed scripts/server.lua
	serverLua string
	//go:embed scripts/prove.lua
	proveLua string
	//go:embed scripts/reserve.lua
	reserveLua string
	//go:embed scripts/refund.lua
	refundLua string
	//go:embed scripts/agree.lua
	agreeLua string
	//go:embed scripts/format.lua
	formatLua string
	//go:embed scripts/stored.lua
	storedLua string
	//go:embed scripts/replace.lua
	replaceLua string
	//go:embed scripts/rewrite.lua
	rewriteLua string
	//go:embed scripts/unbind.lua
	unbindLua string
	//go:embed scripts/use.lua
	useLua string
	//go:embed scripts/clock.lua
	clockLua string
	//go:embed scripts/beat.lua
	beatLua string
	//go:embed scripts/leave.lua
	leaveLua string
	//go:embed scripts/released.lua
	releasedLua string

	openScript    = redis.NewScript(serverLua + relistLua + laterLua + openLua)
	proveScript   = redis.NewScript(serverLua + proveLua)
	commitScript  = redis.NewScript(trimLua + commitLua)
	logScript     = redis.NewScript(trimLua + logLua)
	forgetScript  = redis.NewScript(forgetLua)
	admitScript   = redis.NewScript(admitLua)
	bindScript    = redis.NewScript(bindLua)
	unbindScript  = redis.NewScript(unbindLua)
	agreeScript   = redis.NewScript(agreeLua)
	formatScript  = redis.NewScript(formatLua)
	storedScript  = redis.NewScript(storedLua)
	replaceScript = redis.NewScript(replaceLua)
	rewriteScript = redis.NewScript(rewriteLua)
	reserveScript = redis.NewScript(reserveLua)
	refundScript  = redis.NewScript(refundLua)

	beatScript     = redis.NewScript(clockLua + beatLua)
	leaveScript    = redis.NewScript(clockLua + leaveLua)
	releasedScript = redis.NewScript(clockLua + releasedLua)
)
