//! HTTP doors: REST, phone pages, file download and metrics.
