"""DICOMweb (PS3.18): /api/dicomweb/projects/<project>/; one module a transaction."""
