import { useEffect, useRef, useState, type ReactNode } from "react";

import classes from "./Sideways.module.css";

/** Holds what may be wider than its place, such as a table. Where it goes on, its edge has a shade; only then the keyboard stops at it. */
export function Sideways({ label, children }: { label: string; children: ReactNode }) {
  const box = useRef<HTMLDivElement>(null);
  const [hidden, setHidden] = useState({ left: false, right: false });
  useEffect(() => {
    const element = box.current;
    if (!element) {
      return;
    }
    const look = () => {
      const left = element.scrollLeft > 1;
      const right = element.scrollLeft + element.clientWidth < element.scrollWidth - 1;
      setHidden((now) => (now.left === left && now.right === right ? now : { left, right }));
    };
    const sizes = new ResizeObserver(look); // looks at once, too
    sizes.observe(element);
    if (element.firstElementChild) {
      sizes.observe(element.firstElementChild);
    }
    element.addEventListener("scroll", look, { passive: true });
    return () => {
      sizes.disconnect();
      element.removeEventListener("scroll", look);
    };
  }, []);
  return (
    <div ref={box} className={classes.box} data-left={hidden.left || undefined} data-right={hidden.right || undefined} tabIndex={hidden.left || hidden.right ? 0 : undefined} role="region" aria-label={label}>
      {children}
    </div>
  );
}
