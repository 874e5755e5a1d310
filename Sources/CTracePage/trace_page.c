#include "trace_page.h"

// The toolchain's clang has `#embed` in every standard; it says which one has it first.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char html[] = {
#embed "page.html"
};

static const unsigned char style[] = {
#embed "page.css"
};

// One script for the browser, two files for the reader: what both views need and the list, then the waterfall.
static const unsigned char script[] = {
#embed "page.js"
    , '\n',
#embed "waterfall.js"
};

struct kata_file kata_page_html(void) { return (struct kata_file){html, sizeof html}; }
struct kata_file kata_page_style(void) { return (struct kata_file){style, sizeof style}; }
struct kata_file kata_page_script(void) { return (struct kata_file){script, sizeof script}; }
