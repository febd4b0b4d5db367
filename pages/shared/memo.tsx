import { Component, type FunctionComponent } from "preact";

/** A view that is drawn again only if its properties change. */
export function memo<P extends object>(View: FunctionComponent<P>) {
  return class Memo extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      return Object.entries(next).some(([name, value]) => Reflect.get(this.props, name) !== value);
    }
    override render() {
      return <View {...this.props} />;
    }
  };
}
