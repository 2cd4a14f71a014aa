/** The warrant with its horse, an SVG to be coloured by the page's style. */
export const EMBLEM =
  '<svg viewBox="0 0 64 64" role="img" aria-label="Mapae"><circle cx="32" cy="35" r="24"/><circle cx="32" cy="35" r="19.5" class="rim"/><path d="M26 8h12v5H26z"/><path class="horse" d="M20 45c1-7 4-11 8-13l-1-5 4 2c6 0 10 3 12 8l2 8h-4l-2-5-8 1-3 4h-4l2-5-2 2-1 3z"/></svg>'
