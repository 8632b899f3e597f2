// What wasm-bindgen writes for the page's program; xtask/src/widget.rs says where it is.
declare module "rtchat-program" {
  type Glue = import("./contract.ts").Glue;
  const start: Glue["default"];
  export default start;
  export const { knowsName, loadRestFrom, whenBroken, mount }: Glue;
}
