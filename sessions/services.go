package sessions

// services are what the parts of a session share. A part sees of them what its host interface
// names.
type services struct {
	*loop
	*savedState
	*reporter
	*connection
}
