package perch

// UploadService is what a server takes files by (XEP-0363). The zero value is that of a server which
// takes none.
type UploadService struct {
	JID     JID
	MaxSize int64 // of one file, in bytes; 0: the service does not say
}

// UploadFile says what is to be uploaded.
type UploadFile struct {
	Name string
	Size int64  // in bytes, exactly
	Type string // of media, such as "image/png"; "" is not known
}

// UploadSlot is where one file may be put on the web (XEP-0363, 5). Who has Put may write the file, so it
// is a secret, and so is what the headers say.
type UploadSlot struct {
	Put     Secret // address to which the file is sent, by PUT
	Get     string // address that others read it from
	Headers []UploadHeader
}

// UploadHeader is a header that the request to Put needs: one of Authorization, Cookie and Expires.
type UploadHeader struct {
	Name  string
	Value Secret
}

// SessionUploads says what files a session may upload.
type SessionUploads struct {
	MaxSize int64       `json:"max_size"` // of one file in bytes; 0: the service does not say
	Proxy   UploadProxy `json:"proxy"`    // whether the gateway takes the bytes and passes them on
}

// UploadProxy says which way the bytes of a file may go.
type UploadProxy string

// The ways.
const (
	UploadProxyOff  UploadProxy = "off"  // from the client to the upload service
	UploadProxyOn   UploadProxy = "on"   // that, or through the gateway
	UploadProxyOnly UploadProxy = "only" // through the gateway: clients do not reach the upload service
)
