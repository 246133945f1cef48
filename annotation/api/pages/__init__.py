"""Server-rendered pages: one module a page, templates in frontend/templates."""
