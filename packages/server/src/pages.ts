/** The pages and what each is told. `@mapae/web` will draw them; the default draws them plainly. */
export interface PageData {
  readonly start: { readonly url: string; readonly language: 'ko' | 'en' }
}

export type Pages = <Name extends keyof PageData>(name: Name, data: PageData[Name]) => Response
