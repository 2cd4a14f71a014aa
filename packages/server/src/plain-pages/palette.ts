/** The colours of every plain page, light and dark. */
export const PALETTE =
  ':root{color-scheme:light dark;--ground:light-dark(#faf7f2,#16130f);--ink:light-dark(#1f1a14,#f1ebe1);--soft:light-dark(#6a6055,#a99f90);--card:light-dark(#fff,#211d17);--line:light-dark(#e6ddd0,#373027);--bronze:light-dark(#8a5a1c,#d9a354);--red:light-dark(#b3261e,#f2938c)}'
