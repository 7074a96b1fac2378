package api

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"

	"github.com/perch-im/perch"
)

// logLevelRequest is the body of PUT /admin/v1/log-level.
type logLevelRequest struct {
	Level string `json:"level"`
	Node  string `json:"node"` // name or id; left out: all nodes
} // @name LogLevelRequest

// nodeLevel is the least level that a node logs.
type nodeLevel struct {
	Node  string `json:"node"`
	Level string `json:"level"`
} // @name NodeLevel

// logLevels are those of all nodes.
type logLevels struct {
	Items       []nodeLevel       `json:"items"`
	Unreachable []UnreachableNode `json:"unreachable"` // nodes whose level is not known, or was not changed
} // @name LogLevels

// levels are those that --log-level may have.
var levels = map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}

// levelHere is what this node logs.
func (a *API) levelHere() (nodeLevel, error) {
	if a.o.Admin.Level == nil {
		return nodeLevel{}, perch.Errorf(perch.KindFeatureUnsupported, "the log level of this node cannot be read or changed")
	}
	return nodeLevel{Node: a.self(), Level: strings.ToLower(a.o.Admin.Level.Level().String())}, nil
}

// handleAdminLogLevel shows the log level of each node.
//
//	@ID			getLogLevel
//	@Summary	Log level of all nodes
//	@Tags		admin
//	@Produce	json
//	@Success	200	{object}	logLevels
//	@Router		/admin/v1/log-level [get]
//	@Security	AdminToken
func (a *API) handleAdminLogLevel(w http.ResponseWriter, r *http.Request) error {
	if _, err := queryOf(r); err != nil {
		return err
	}
	here, err := a.levelHere()
	if err != nil {
		return err
	}
	list := logLevels{Items: []nodeLevel{here}}
	list.Unreachable = gather(a, r, peerQuestion{method: http.MethodGet, path: adminRoot + "log-level"}, func(o logLevels) {
		list.Items = append(list.Items, o.Items...)
	})
	return writeJSON(w, http.StatusOK, list)
}

// handleAdminLogLevelPut changes the log level of one node or of all.
//
//	@ID				setLogLevel
//	@Summary		Change the log level
//	@Description	Changes the level of one node, or of all, until they end, or a reload (SIGHUP) changes their --log-level.
//	@Tags			admin
//	@Accept			json
//	@Produce		json
//	@Param			body	body		logLevelRequest	true	"the level"
//	@Success		200		{object}	logLevels
//	@Failure		503		{object}	Problem	"the node does not answer"
//	@Router			/admin/v1/log-level [put]
//	@Security		AdminToken
func (a *API) handleAdminLogLevelPut(w http.ResponseWriter, r *http.Request) error {
	if _, err := queryOf(r); err != nil {
		return err
	}
	var req logLevelRequest
	if err := decodeJSON(r, &req); err != nil {
		return err
	}
	level, ok := levels[req.Level]
	if !ok {
		return perch.Invalid("/level", "must be debug, info, warn or error")
	}
	body, _ := json.Marshal(req) // of plain fields: cannot fail
	q := peerQuestion{method: http.MethodPut, path: adminRoot + "log-level", body: body}
	if req.Node != "" && !nodeNamed(a.self(), req.Node) {
		p, known := a.peer(req.Node)
		if !known || trusted(r.Context()) {
			return errNoNode("/node", req.Node)
		}
		return a.passOn(w, r, p, q)
	}
	here, err := a.setLevel(r, level)
	if err != nil {
		return err
	}
	list := logLevels{Items: []nodeLevel{here}, Unreachable: []UnreachableNode{}}
	if req.Node == "" {
		list.Unreachable = gather(a, r, q, func(o logLevels) { list.Items = append(list.Items, o.Items...) })
	}
	return writeJSON(w, http.StatusOK, list)
}

// setLevel changes the level of this node. The line is written at the level that lets it out.
func (a *API) setLevel(r *http.Request, level slog.Level) (nodeLevel, error) {
	was, err := a.levelHere()
	if err != nil {
		return was, err
	}
	a.o.Admin.Level.Set(min(level, slog.LevelInfo))
	a.audit(r, auditLevel, "", slog.String("level", strings.ToLower(level.String())), slog.String("was", was.Level))
	a.o.Admin.Level.Set(level)
	return a.levelHere()
}
