// Swagger UI is dark by a class, not by a media query of its own. This runs before the page is drawn.
'use strict';
const dark = matchMedia('(prefers-color-scheme: dark)');
const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', follow);
follow();
