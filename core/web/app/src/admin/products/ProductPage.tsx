import { Button } from "@mantine/core";
import { IconExternalLink } from "@tabler/icons-react";
import { useParams } from "react-router";

import { api } from "../../api/client";
import { fill, text } from "../../text";
import { Page } from "../../ui/Page";
import { Loaded } from "../../ui/states";
import { ProductForm } from "./ProductForm";

const t = text.products;
const trail = [{ label: text.nav.products, to: "/admin/products" }];

export function NewProduct() {
  return (
    <Page title={t.new} trail={trail}>
      <ProductForm />
    </Page>
  );
}

export function ProductPage() {
  const { id = "" } = useParams();
  const query = api.useQuery("get", "/api/v1/products/{id}", { params: { path: { id } } });
  return (
    <Page
      title={query.data?.name ?? text.nav.products}
      trail={trail}
      about={query.data && fill(t.kinds[query.data.kind] ?? query.data.kind, {})}
      actions={
        query.data?.status === "active" && (
          <Button component="a" href={`/products/${query.data.slug}`} target="_blank" rel="noopener" variant="default" rightSection={<IconExternalLink size={16} aria-hidden />}>
            {t.view}
          </Button>
        )
      }
    >
      <Loaded query={query}>{(product) => <ProductForm key={product.updated_at} product={product} />}</Loaded>
    </Page>
  );
}
