declare module 'cliui' {
  interface Column {
    readonly text: string
    readonly width?: number
    readonly padding?: readonly [top: number, right: number, bottom: number, left: number]
  }
  interface Layout {
    div(...columns: Column[]): void
    toString(): string
  }
  export default function cliui(options: { readonly width: number; readonly wrap: boolean }): Layout
}
