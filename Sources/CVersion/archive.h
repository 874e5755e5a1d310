// Git replaces the placeholder when it makes a source archive (gitattributes(5), export-subst).
#define KATA_ARCHIVE_COMMIT "$Format:%H$"
