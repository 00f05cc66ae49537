package kyc

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	_ "gocloud.dev/blob/s3blob" // opens s3:// URLs
)

// OpenBucket opens where documents are kept: s3://BUCKET?... as in gocloud.dev/blob/s3blob, file:///DIR, or, for an empty
// address, a folder, which is made for its owner only.
func OpenBucket(ctx context.Context, address, folder string) (*blob.Bucket, error) {
	if u, err := url.Parse(address); err == nil && u.Scheme == "file" {
		address, folder = "", filepath.FromSlash(u.Path)
	}
	if address == "" {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, fmt.Errorf("make folder of documents: %w", err)
		}
		b, err := fileblob.OpenBucket(folder, &fileblob.Options{NoTempDir: true, Metadata: fileblob.MetadataDontWrite})
		if err != nil {
			return nil, fmt.Errorf("open folder of documents: %w", err)
		}
		return b, nil
	}
	if !strings.HasPrefix(address, "s3://") {
		return nil, fmt.Errorf("open bucket of documents: want s3://BUCKET?region=... or file:///DIR")
	}
	b, err := blob.OpenBucket(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("open bucket of documents: %w", err)
	}
	return b, nil
}
