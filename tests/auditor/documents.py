"""Types of documents: our id, the mdoc's doctype, the SD-CWT's `vct` (DESIGN.md's table of formats; fixed names of this project)."""

TYPES = {
    "citizen-identity": ("org.iso.23220.photoID.1", "urn:vn:citizen-identity:1"),
    "driving-licence": ("org.iso.18013.5.1.mDL", "urn:vn:driving-licence:1"),
    "health-insurance-card": ("vn.gov.bhyt.1", "urn:vn:health-insurance-card:1"),
    "health-summary": ("vn.gov.sks.1", "urn:vn:health-summary:1"),
}
